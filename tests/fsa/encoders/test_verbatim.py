import torch

from fsa.encoders.verbatim import Verbatim
from fsa.types import ChoiceBatch


def test_the_belief_keeps_the_choices_and_says_nothing_else():
    choices = ChoiceBatch(torch.randn(2, 5, 2, 3), torch.tensor([0, 1]).expand(2, 5, 2), torch.ones(2, 5))
    belief = Verbatim(3, 4)(choices)
    assert belief.mean.shape == (2, 4)
    assert not belief.mean.any()
    assert not belief.std.any()
    assert belief.memory is choices


def test_it_has_nothing_to_learn():
    assert list(Verbatim(3, 4).parameters()) == []


def test_a_moved_belief_takes_its_memory_along():
    choices = ChoiceBatch(torch.randn(2, 5, 2, 3), torch.tensor([0, 1]).expand(2, 5, 2), torch.ones(2, 5))
    memory = Verbatim(3, 4)(choices).to("meta").memory
    assert memory is not None
    assert memory.features.device.type == memory.rows.device.type == "meta"
