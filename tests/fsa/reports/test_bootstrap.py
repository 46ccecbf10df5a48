"""Means, paired differences and worst groups: by hand, and against the intervals of single numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from fsa.errors import ShapeError
from fsa.reports.bootstrap import Cells, Resamples
from fsa.reports.intervals import mean_interval, paired_interval


def cells(user, prompt=None, part=None, seed=None, count=None) -> Cells:
    n = len(user)
    labels = [np.zeros(n, np.int64) if x is None else np.asarray(x) for x in (seed, part)]
    axes = (np.asarray(user),) if prompt is None else (np.asarray(user), np.asarray(prompt))
    return Cells(*labels, axes, np.ones(n) if count is None else np.asarray(count, float))


def test_a_mean_weighs_choices_alike_and_then_seeds():
    # Seed 0: (3 + 1) / (4 + 4) = 1/2. Seed 1: (4 + 2) / 8 = 3/4. Their mean: 5/8.
    where = cells([0, 1, 0, 1], seed=[0, 0, 1, 1], count=[4, 4, 4, 4])
    found = Resamples(where, {"a": np.array([3.0, 1, 4, 2])}).mean("a", [0])
    assert (found.value, found.n, found.seeds) == (0.625, 8, 2)


def test_a_constant_lead_has_no_doubt():
    rng = np.random.default_rng(0)
    rival = rng.random(60)
    where = cells(np.arange(60) % 12, np.arange(60) // 12)
    found = Resamples(where, {"a": rival + 0.25, "b": rival}).difference("a", "b", [0])
    assert_allclose([found.value, found.low, found.high], 0.25, atol=1e-6)


@pytest.mark.parametrize("both", [True, False], ids=["users and prompts", "users"])
def test_intervals_are_those_of_single_numbers(both):
    rng = np.random.default_rng(1)
    n = 4000
    user, prompt, seed = rng.integers(0, 50, n), rng.integers(0, 80, n), np.repeat([0, 1], n // 2)
    taste, difficulty = rng.normal(size=50), rng.normal(size=80)
    mine, other = (
        (rng.normal(size=n) + shift + taste[user] + difficulty[prompt] > 0).astype(float)
        for shift in (1, 0.8)
    )
    keys, place = np.unique([seed, user, prompt if both else 0 * prompt], axis=1, return_inverse=True)
    count = np.bincount(place)
    where = cells(keys[1], keys[2] if both else None, seed=keys[0], count=count)
    found = Resamples(where, {"a": np.bincount(place, mine), "b": np.bincount(place, other)})
    by = [user, prompt] if both else [user]
    pairs = [
        (found.mean("a", [0]), mean_interval(mine, by, seeds=seed)),
        (found.difference("a", "b", [0]), paired_interval(mine, other, by, seeds=seed)),
    ]
    for ours, theirs in pairs:
        assert_allclose(ours.value, theirs.value, atol=1e-12)
        assert (ours.n, ours.seeds) == (theirs.n, theirs.seeds)
        # The draws differ: each end is known to about a tenth of the width.
        width = theirs.high - theirs.low
        assert_allclose([ours.low, ours.high], [theirs.low, theirs.high], atol=0.12 * width)


GROUPS = [(0,), (1,)]


def two_groups() -> Resamples:
    # Ten people in each of two groups, ten choices each. a: 0.9 and 0.5; b: 0.6 and 0.7.
    where = cells(np.arange(20), part=np.arange(20) // 10, count=np.full(20, 10))
    a, b = (np.repeat(values, 10) for values in ([9.0, 5.0], [6.0, 7.0]))
    return Resamples(where, {"a": a, "b": b, "half": np.where(np.arange(20) < 10, 5.0, np.nan)})


def test_worst_groups_are_compared_whichever_they_are():
    found = two_groups().worst_difference("a", "b", GROUPS)
    # 0.5 in the second group less 0.6 in the first; nobody differs within a group, so there is no doubt.
    assert_allclose([found.value, found.low, found.high], -0.1, atol=1e-6)


def test_doubt_about_the_worst_group_is_in_the_interval():
    rng = np.random.default_rng(2)
    where = cells(np.arange(400), part=np.arange(400) // 100)
    a, b = (rng.random(400) < 0.7).astype(float), (rng.random(400) < 0.7).astype(float)
    found = Resamples(where, {"a": a, "b": b})
    lead = found.worst_difference("a", "b", [(i,) for i in range(4)])
    assert lead.low < lead.value < lead.high
    means = [values.reshape(4, 100).mean(1).min() for values in (a, b)]
    assert_allclose(lead.value, means[0] - means[1])


def test_a_resample_without_a_small_group_has_its_worst_among_the_others():
    # Thirty groups of one person: every resample misses a third of them.
    where = cells(np.arange(30), part=np.arange(30), count=np.full(30, 10))
    a, b = np.full(30, 6.0), np.full(30, 4.0)
    found = Resamples(where, {"a": a, "b": b}).worst_difference("a", "b", [(i,) for i in range(30)])
    assert_allclose([found.value, found.low, found.high], 0.2, atol=1e-6)


def test_what_was_not_measured_is_unknown():
    found = two_groups()
    assert found.mean("half", [0]).value == 0.5
    assert found.mean("half", [0, 1]) is None
    assert found.mean("nobody", [0]) is None
    assert found.worst_difference("a", "half", GROUPS) is None
    assert found.resampled("half", [1]) is None


def test_a_difference_is_over_the_seeds_that_both_have():
    where = cells([0, 1, 0, 1], seed=[0, 0, 1, 1])
    # b has the second seed alone, in which a leads by 1 - 0; the first seed of a (0) does not count.
    sums = {"a": np.array([0.0, 0, 1, 1]), "b": np.array([np.nan, np.nan, 0, 0])}
    found = Resamples(where, sums).difference("a", "b", [0])
    assert (found.value, found.seeds, found.n) == (1.0, 1, 2)


def test_the_same_seed_gives_the_same_numbers():
    rng = np.random.default_rng(3)
    where, sums = cells(np.arange(30), np.arange(30) % 7), {"a": rng.random(30)}
    one, two = (Resamples(where, sums, random_seed=5).mean("a", [0]) for _ in range(2))
    assert one == two


def test_labels_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match="one length"):
        Cells(np.zeros(2, int), np.zeros(2, int), (np.zeros(3, int),), np.ones(2))
