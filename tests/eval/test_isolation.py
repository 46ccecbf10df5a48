"""Nobody's scores depend on anybody else's; a model of which they do is found out."""

import numpy as np
import pytest

from eval.isolation import isolation, largest_difference
from fsa.errors import FsaError
from fsa.outputs.reward_model import RewardModel


def test_people_of_a_small_model_are_apart(synthetic_run):
    assert isolation(str(synthetic_run), people=30, at_once=10, threads=2, processes=1) < 1e-12


def test_a_model_that_mixes_people_is_found_out(synthetic_run, monkeypatch):
    whole = RewardModel.score_batch

    def mixed(self, people, prompts, responses):
        return whole(self, [people[0]] * len(people), prompts, responses)

    monkeypatch.setattr(RewardModel, "score_batch", mixed)
    with pytest.raises(FsaError, match="scores depend on who else is scored"):
        isolation(str(synthetic_run), people=30, at_once=10, threads=2, processes=1)


def test_differences_are_the_largest_of_any_person_and_never_hidden():
    one = {0: np.array([[1.0], [0.0]]), 1: np.array([[2.0, 3.0], [0.5, 0.5]])}
    other = {0: np.array([[1.0], [0.25]]), 1: np.array([[2.0, 2.0], [0.5, 0.5]])}
    assert largest_difference(one, other) == 1.0
    assert largest_difference(one, {0: one[0]}) == np.inf
    assert largest_difference(one, {**other, 1: other[1] * np.nan}) == np.inf
