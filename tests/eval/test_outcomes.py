from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose

from eval.outcomes import TRIALS, last_logged, short_of_bayes
from fsa.recipes.measuring.predictions import Predictions

ROOT = Path(__file__).resolve().parents[2]


def predictions(correct: list[float], bayes: list[float]) -> Predictions:
    n = np.arange(len(correct))
    nothing = np.zeros(len(n))
    return Predictions(n, n, n, n * 0, np.array(correct), nothing, nothing, nothing, np.array(bayes))


def test_what_is_missing_is_bayes_less_ours_on_the_same_choices():
    # 3 of 4 right where 3.5 of 4 could be.
    found = short_of_bayes(predictions([1, 1, 0, 1], [1, 1, 1, 0.5]), np.zeros(4))
    assert_allclose(found.value, 0.125)
    assert found.low <= 0.125 <= found.high
    assert (found.n, found.seeds) == (4, 1)


def test_nothing_is_missing_where_both_are_right_at_the_same_choices():
    found = short_of_bayes(predictions([1, 0, 1], [1, 0, 1]), np.zeros(3))
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_the_last_logged_value_is_that_of_the_last_line_that_has_one(tmp_path):
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("step,train/active_dims,train/loss\n50,3,1\n100,5,0.5\n150,,0.4\n")
    assert last_logged(metrics, "train/active_dims") == 5
    assert last_logged(metrics, "train/loss") == 0.4
    assert last_logged(metrics, "train/kl") is None


def test_every_trial_has_its_own_folder_and_overlays_that_exist():
    assert len({trial.folder for trial in TRIALS}) == len(TRIALS)
    assert all((ROOT / path).is_file() for trial in TRIALS for path in trial.overlays)


def test_the_show_covers_every_kind_of_outcome_and_both_baselines():
    assert {trial.data for trial in TRIALS} == {"pairs", "picks of 4", "rankings of 4", "pairs or ties"}
    assert {"VPL", "DPL (no context)", "NP, mean-variance"} <= {trial.method for trial in TRIALS}
