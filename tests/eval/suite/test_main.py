"""A whole suite in small: what it writes, what it does again, and what it does when a method fails."""

import numpy as np

from eval.suite.cells import PREDICTIONS, SavedPredictions
from tests.factories.suite import METHODS, folder_of


def test_all_methods_are_asked_the_same_in_the_same_order(done, plan):
    asked = {
        name: SavedPredictions.open(folder_of(plan, f"*/{name}/0", done[0]) / PREDICTIONS) for name in METHODS
    }
    ours = asked["NP-BTL"]
    for other in asked.values():
        for field in ("row", "user", "prompt", "group", "bayes_correct"):
            assert (getattr(other.predictions, field) == getattr(ours.predictions, field)).all()
        assert all((other.labels[name] == ours.labels[name]).all() for name in ("size", "where"))
    assert np.unique(ours.labels["size"]).tolist() == [0, 3]


def test_who_reads_choices_gains_by_them_and_who_knows_the_group_needs_none(done, plan):
    found = {}
    for name in METHODS:
        asked = SavedPredictions.open(folder_of(plan, f"*/{name}/0", done[0]) / PREDICTIONS)
        size = asked.labels["size"]
        found[name] = [asked.predictions.correct[size == n].mean() for n in (0, 3)]
    assert found["NP-BTL"][1] > found["NP-BTL"][0] + 0.05
    assert found["pooled"][1] == found["pooled"][0]
    assert found["dedicated"][0] == found["dedicated"][1] > found["pooled"][0] + 0.1
