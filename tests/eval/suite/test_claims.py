"""Choices needed by hand, what holds, leads and points lost."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from eval.suite.claims import choices_needed, holds, leads, levels, lost, needed
from eval.suite.measures import Measures
from eval.suite.results import Suite
from tests.factories.finished_suite import noisy, write

FLAT = {0: (0.5, 0.5), 3: (0.5, 0.5), 10: (0.5, 0.5)}


@pytest.mark.parametrize(
    ("accuracy", "wanted", "expected"),
    [
        ([0.5, 0.6, 0.8], 0.7, 6.5),  # half way from 3 to 10
        ([0.5, 0.8, 0.9], 0.6, 1.0),  # a third of the way from 0 to 3
        ([0.5, 0.6, 0.8], 0.8, 10),
        ([0.5, 0.6, 0.8], 0.5, 0),
        ([0.5, 0.6, 0.8], 0.81, math.inf),
        ([0.5, 0.8, 0.6], 0.65, 1.5),  # reached for the first time, whatever comes later
        ([0.7, 0.5, 0.9], 0.6, 0),
    ],
)
def test_choices_needed_by_hand(accuracy, wanted, expected):
    assert_allclose(choices_needed([0, 3, 10], np.array(accuracy), wanted), expected)


def test_choices_needed_of_every_resample():
    accuracy = np.array([[0.5, 0.5], [0.9, 0.5]])
    assert_allclose(choices_needed([0, 10], accuracy, np.array([0.7, 0.7])), [5, math.inf])


@pytest.mark.parametrize(("low", "expected"), [(-0.01, True), (-0.0101, False), (0.02, True)])
def test_a_claim_holds_by_the_low_end(low, expected):
    assert holds(low) is expected


def measured(tmp_path, levels_of, **more):
    write(tmp_path, {"data": levels_of}, **more)
    suite = Suite.read(tmp_path)
    return suite, Measures.of(suite, "data", num_resamples=200)


def test_leads_by_hand(tmp_path):
    ours = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.9, 0.8)}
    rival = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.6, 0.9)}
    suite, measures = measured(
        tmp_path, {"NP-BTL": ours, "VPL": rival, "NP-BTL FiLM": rival, "dedicated": ours}
    )
    found = {(row.slice["over"], row.context_size, row.group): row for row in leads(measures, suite.roles)}
    # At 10: (0.9 + 0.8) / 2 - (0.6 + 0.9) / 2 = 0.1; worst 0.8 - 0.6 = 0.2. The oracle is no rival.
    assert {key: round(row.value, 9) for key, row in found.items() if key[0] == "VPL"} == {
        ("VPL", 3, "all"): 0,
        ("VPL", 3, "worst"): 0,
        ("VPL", 10, "all"): 0.1,
        ("VPL", 10, "worst"): 0.2,
    }
    assert {key[0] for key in found} == {"VPL", "NP-BTL FiLM"}
    assert all(row.low <= row.value + 1e-6 and row.value - 1e-6 <= row.high for row in found.values())
    assert {(row.n, row.seeds) for row in found.values() if row.group == "all"} == {(200, 2)}


def test_needed_by_hand(tmp_path):
    ours = {0: (0.5, 0.5), 3: (0.8, 0.8), 10: (0.9, 0.9)}
    top = dict.fromkeys((0, 3, 10), (0.9, 0.9))
    suite, measures = measured(
        tmp_path, {"NP-BTL": ours, "VPL": FLAT, "pooled": FLAT, "dedicated": top}, seeds=1
    )
    found = {row.method: row for row in needed(measures, suite.roles)}
    # 0.5 + 0.9 * (0.9 - 0.5) = 0.86: 0.06 of the 0.1 between 3 and 10 choices, so 3 + 0.6 * 7 = 7.2.
    assert_allclose(found["NP-BTL"].value, 7.2)
    assert found["VPL"].value == math.inf
    assert set(found) == {"NP-BTL", "VPL"}
    assert found["NP-BTL"].slice == {"of": "dedicated"}


def test_nothing_is_needed_where_the_oracle_gains_nothing(tmp_path):
    suite, measures = measured(tmp_path, {"NP-BTL": FLAT, "pooled": FLAT, "dedicated": FLAT})
    assert list(needed(measures, suite.roles)) == []


def test_without_dedicated_models_the_bayes_limit_is_the_oracle(tmp_path):
    suite, measures = measured(tmp_path, {"NP-BTL": FLAT, "pooled": FLAT})
    assert [row.slice for row in needed(measures, suite.roles)] == [{"of": "Bayes limit"}]


def test_points_lost_to_noise(tmp_path):
    after = dict.fromkeys((0, 3, 10), (0.7, 0.7))
    before = dict.fromkeys((0, 3, 10), (0.9, 0.8))
    write(
        tmp_path,
        {"clean": {"NP-BTL": before}, "noisy": {"NP-BTL": after}},
        sources={"clean": noisy(0.0), "noisy": noisy(0.4)},
    )
    suite = Suite.read(tmp_path)
    # Two options: of 40 % drawn anew half come out as they were.
    assert suite.noisy() == [("clean", "noisy", 0.2)]
    clean, late = (levels(Measures.of(suite, name, num_resamples=50)) for name in ("clean", "noisy"))
    (row,) = lost("noisy", 0.2, 10, clean, late)
    assert_allclose(row.value, 0.85 - 0.7)
