"""Asking by replay: the same people and targets, questions out of their own choices."""

import numpy as np
import pytest

from eval.questions.__main__ import RANDOM, WAYS, in_order, questions
from fsa.errors import ConfigError
from fsa.questions.information_gain import InformationGain
from fsa.recipes.measuring.runs import Settings, opened
from fsa.reports.report import Report


def test_a_context_is_asked_in_another_order_and_nothing_twice(synthetic_run):
    run = opened(synthetic_run, Settings([12], "test", 40, 5, 1), {})
    before, after = run.at.episodes, in_order(run, InformationGain(), 6)
    assert after.context.shape[1] == 6
    for pool, asked in zip(before.context, after.context, strict=True):
        there = asked[asked >= 0]
        assert len(set(there)) == len(there) == min(6, (pool >= 0).sum())
        assert set(there) <= set(pool)
    assert (after.target == before.target).all()
    assert (after.context[:, 0] != before.context[:, 0]).any()


def test_the_report_holds_every_way_and_the_paired_gains(synthetic_run, tmp_path):
    report = questions([str(synthetic_run)], [0, 1, 10], 12, str(tmp_path), episodes=60, max_targets=5)
    assert Report.load(tmp_path).rows == report.rows
    found = {
        (row.method.split(", ")[-1], row.metric, row.context_size, row.group): row for row in report.rows
    }
    for way in WAYS:
        for size in (0, 1, 10):
            assert 0 <= found[way, "accuracy", size, "all"].value <= 1
        assert found[way, "accuracy", 0, "all"].value == found[RANDOM, "accuracy", 0, "all"].value
        assert (way, "accuracy", 1, "worst") in found
    for way in set(WAYS) - {RANDOM}:
        gain = found[way, "asked_over_random", 1, "all"]
        apart = found[way, "accuracy", 1, "all"].value - found[RANDOM, "accuracy", 1, "all"].value
        np.testing.assert_allclose(gain.value, apart)
        assert gain.low <= gain.value <= gain.high
    assert (tmp_path / "report.md").exists()


def test_a_pool_smaller_than_the_questions_is_refused(synthetic_run, tmp_path):
    with pytest.raises(ConfigError, match="pool"):
        questions([str(synthetic_run)], [0, 10], 5, str(tmp_path))
