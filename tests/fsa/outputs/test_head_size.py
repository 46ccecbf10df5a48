"""A configuration that asks for far more than was saved is refused before memory is taken."""

import pytest
import torch

from fsa.errors import CheckpointError
from fsa.outputs.head_size import heads
from fsa.outputs.reward_model import RewardModel
from fsa.runs.folder import WEIGHTS
from tests.factories.reward_models import part, small_model


def test_a_model_that_was_saved_opens(tmp_path):
    small_model().save_pretrained(tmp_path)
    assert RewardModel.from_pretrained(tmp_path)


def test_heads_of_terabytes_are_refused_by_their_count(tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path)
    # Both maps of two features have a hidden layer of 10^9 units, 2 numbers in and 1 or 3 out.
    huge = {**model.config, "scorer": part("models.taste_reward.TasteReward", units=10**9)}
    with pytest.raises(CheckpointError, match=r"would hold [\d,]{13,} numbers, model.safetensors has \d"):
        heads(huge, (2, 3), tmp_path / WEIGHTS)


def test_what_cannot_be_built_is_left_to_the_building(tmp_path):
    for scorer in (None, {}, {"class_path": 3}, part("models.no_such.Thing"), part("errors.FsaError")):
        heads({**small_model().config, "scorer": scorer}, (2, 3), tmp_path / WEIGHTS)


def test_a_head_with_a_tensor_that_is_not_saved_is_built_in_earnest(tmp_path, monkeypatch):
    model = small_model()
    model.save_pretrained(tmp_path)
    widths = (2, model.config["d_belief"])
    assert set(heads(model.config, widths, tmp_path / WEIGHTS)) == {"encoder", "scorer"}
    kind, made = type(model.scorer), type(model.scorer).__init__

    def with_one_more(self, *arguments, **more):
        made(self, *arguments, **more)
        self.table = torch.arange(3.0)

    monkeypatch.setattr(kind, "__init__", with_one_more)
    assert set(heads(model.config, widths, tmp_path / WEIGHTS)) == {"encoder"}
    assert RewardModel.from_pretrained(tmp_path).scorer.table.tolist() == [0.0, 1.0, 2.0]
