from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from fsa.conditioning.conditioning import Conditioning, Site, decoder_blocks
from fsa.errors import ConfigError, ShapeError


class Scaled(Conditioning):
    """Multiplies the output of one layer by 1 + gain."""

    def find(self, backbone):
        return {"first": Site(backbone[0], 1)}

    def make_head(self, d_belief, width):
        head = nn.Linear(d_belief, width, bias=False)
        nn.init.ones_(head.weight)
        return head

    def steer(self, output, gain):
        return output * (1 + gain)


@pytest.fixture
def parts() -> tuple[nn.Sequential, Scaled]:
    backbone, conditioning = nn.Sequential(nn.Identity()), Scaled()
    conditioning.attach(backbone, 1)
    return backbone, conditioning


def test_row_i_is_steered_by_z_i_and_only_inside(parts):
    backbone, conditioning = parts
    x = torch.ones(2, 3, 1)
    with conditioning.given(torch.tensor([[1.0], [2.0]])):
        assert_close(backbone(x)[:, 0, 0], torch.tensor([2.0, 3.0]))
    with conditioning.unconditional():
        assert_close(backbone(x), x)
    with pytest.raises(ConfigError):
        backbone(x)


def test_rows_that_share_a_latent_are_repeated(parts):
    backbone, conditioning = parts
    with conditioning.given(torch.tensor([[1.0], [2.0]]), repeats=2):
        assert_close(backbone(torch.ones(4, 1, 1)).flatten(), torch.tensor([2.0, 2, 3, 3]))


def test_another_number_of_rows_or_width_is_refused(parts):
    backbone, conditioning = parts
    with pytest.raises(ShapeError), conditioning.given(torch.zeros(2, 1)):
        backbone(torch.ones(3, 1, 1))
    with pytest.raises(ShapeError), conditioning.given(torch.zeros(2, 4)):
        backbone(torch.ones(2, 1, 1))


def test_a_layer_that_does_not_run_and_a_second_backbone_are_refused(parts):
    backbone, conditioning = parts
    with pytest.raises(ConfigError, match="first took no part"), conditioning.given(torch.zeros(1, 1)):
        pass
    with pytest.raises(ConfigError, match="attached to a backbone already"):
        conditioning.attach(backbone, 1)


def test_a_decoders_blocks_are_as_many_as_its_configuration_says():
    model = nn.Module()
    model.other, model.layers = nn.ModuleList([nn.Identity()]), nn.ModuleList([nn.Identity(), nn.Identity()])
    text = SimpleNamespace(num_hidden_layers=2)
    model.config = SimpleNamespace(get_text_config=lambda: text)
    assert decoder_blocks(model) == list(model.layers)
    text.num_hidden_layers = 3
    with pytest.raises(ConfigError, match="no list of 3 decoder blocks"):
        decoder_blocks(model)
