"""Accuracy, distance recovered, bias and errors of scores."""

import numpy as np
from scipy.stats import spearmanr

from eval.steerable.scores import grids, interval, rank_correlation, score_errors
from fsa.judge.scores import AttributeScores, Labelled, Probe
from fsa.judge.target import AlignmentTarget


def labelled(*rows: list[list[float]]) -> list[Labelled]:
    found = []
    for number, row in enumerate(rows):
        texts = tuple(f"{number} {place}" for place in range(len(row)))
        scores = AttributeScores(("a", "b"), np.array(row))
        found.append(Labelled(Probe(str(number), "p", texts), scores))
    return found


TEST = labelled([[1.0, 0.0], [0.5, 0.0]], [[0.25, 0.5], [0.25, 1.0]], [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]])
HIGH_A = AlignmentTarget({"a": 1.0})


def test_grids_by_hand() -> None:
    # Probe 0: the first is right, the second at 0.5 is the worst there is. Probe 1 ties on a. Probe 2: the
    # second of three is wrong, half as far as the worst.
    found = grids([[(1,), (0,), (1,)]], [HIGH_A], TEST)
    np.testing.assert_allclose(found.correct, [[0, np.nan, 0]])
    np.testing.assert_allclose(found.recovered, [[0, np.nan, 0.5]])
    # The oracle always goes to the one higher on a; these picks never do. On b probe 0 is equal.
    np.testing.assert_allclose(found.to_higher["a"], [[-1, np.nan, -1]])
    np.testing.assert_allclose(found.to_higher["b"], [[np.nan, np.nan, -1]])
    np.testing.assert_allclose(found.unanswered, [[0, np.nan, 0]])


def test_ties_get_a_part_and_no_answer_nothing() -> None:
    found = grids([[(0, 1), (), ()]], [HIGH_A], TEST)
    np.testing.assert_allclose(found.correct, [[0.5, np.nan, 0]])
    np.testing.assert_allclose(found.recovered, [[0.5, np.nan, 0]])
    np.testing.assert_allclose(found.unanswered, [[0, np.nan, 1]])
    np.testing.assert_allclose(found.to_higher["a"], [[-0.5, np.nan, np.nan]])


def test_the_oracle_is_right_and_without_bias() -> None:
    found = grids([[(0,), (0, 1), (2,)]], [HIGH_A], TEST)
    np.testing.assert_allclose(found.correct, [[1, np.nan, 1]])
    assert np.nansum(np.abs(found.to_higher["a"])) == 0


def test_an_interval_is_of_the_mean_over_targets() -> None:
    grid = np.array([[1.0, 0.0, np.nan, np.nan], [1.0, 1.0, 1.0, 1.0]])
    found = interval(grid)
    assert found is not None
    assert found.value == 0.75  # (1/2 + 1) / 2, not 5 / 6
    assert (found.low <= 0.75 <= found.high, found.n) == (True, 6)
    assert interval(np.full((2, 3), np.nan)) is None


def test_an_interval_is_as_wide_as_the_binomial_says() -> None:
    generator = np.random.default_rng(0)
    found = interval((generator.random((1, 400)) < 0.7).astype(float))
    assert found is not None
    wanted = 2 * 1.96 * np.sqrt(found.value * (1 - found.value) / 400)
    assert abs((found.high - found.low) / wanted - 1) < 0.1


def test_rank_correlation_is_that_of_scipy() -> None:
    generator = np.random.default_rng(0)
    one, two = generator.integers(0, 5, 50).astype(float), generator.normal(size=50)
    np.testing.assert_allclose(rank_correlation(one, two), spearmanr(one, two).statistic)


def test_errors_leave_out_what_is_missing() -> None:
    said = [each.labels.mean.copy() for each in TEST]
    said[0][0, 0] = np.nan
    said[1][0, 0] = 0.75  # 0.5 off, among six scores that are there
    found = score_errors([AttributeScores(("a", "b"), mean) for mean in said], TEST, "a")
    assert found["score_error"] is not None
    assert found["rank_correlation"] is not None
    np.testing.assert_allclose(found["score_error"].value, 0.5 / 6)
    assert found["score_error"].n == 6
