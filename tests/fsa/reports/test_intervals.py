import numpy as np
import pytest

from fsa.errors import ShapeError
from fsa.metrics.calibration import ece
from fsa.reports.intervals import ece_interval, mean_interval, paired_interval


def crossed(seed, *, users=40, prompts=40, per_user=15, user_std=1.0, prompt_std=1.0, noise=1.0):
    """Numbers with true mean 0 whose user and prompt each have an effect."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), per_user)
    prompt = rng.integers(0, prompts, len(user))
    effects = rng.normal(0, user_std, users)[user] + rng.normal(0, prompt_std, prompts)[prompt]
    return effects + rng.normal(0, noise, len(user)), user, prompt


@pytest.mark.parametrize(("user_std", "prompt_std"), [(1.0, 1.0), (0.0, 0.0), (0.5, 0.1)])
def test_covers_the_truth_about_95_times_in_100(user_std, prompt_std):
    hits = []
    for seed in range(200):
        values, user, prompt = crossed(seed, user_std=user_std, prompt_std=prompt_std)
        interval = mean_interval(values, (user, prompt), num_resamples=200, random_seed=seed)
        hits.append(interval.low <= 0 <= interval.high)
    # The binomial's standard deviation is 1.5 points at 200 tries; few units and few resamples cost 1 or 2.
    assert 0.88 <= np.mean(hits) <= 0.985


def test_resampling_choices_alone_would_be_too_narrow():
    values, user, prompt = crossed(0)
    naive = mean_interval(values, (np.arange(len(values)),))
    honest = mean_interval(values, (user, prompt))
    assert honest.high - honest.low > 2 * (naive.high - naive.low)


def test_one_axis_equals_the_closed_form_of_the_bootstrap():
    # 400 prompts once each: the standard error of a mean is std / sqrt(n), and 95 % is 2 * 1.96 of it.
    values = np.random.default_rng(0).normal(3, 2, 400)
    interval = mean_interval(values, (np.arange(400),), num_resamples=4000)
    assert interval.value == pytest.approx(values.mean())
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_one_axis_equals_resampling_by_hand():
    # Clusters of unequal size: draw clusters, then take the mean of all rows drawn.
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 20, 60)
    prompt = np.repeat(np.arange(60), sizes)
    values = rng.normal(0, 1, 60)[prompt] + rng.normal(0, 0.5, len(prompt))
    sums = np.bincount(prompt, weights=values)
    drawn = rng.integers(0, 60, (4000, 60))
    by_hand = sums[drawn].sum(1) / sizes[drawn].sum(1)
    interval = mean_interval(values, (prompt,), num_resamples=4000)
    low, high = np.quantile(by_hand, [0.025, 0.975])
    assert interval.low == pytest.approx(low, abs=0.03)
    assert interval.high == pytest.approx(high, abs=0.03)


def test_independent_choices_are_not_counted_three_times():
    # Pure noise in a crossed design: the standard error is std / sqrt(n) whatever the labels.
    values, user, prompt = crossed(3, users=200, prompts=200, user_std=0, prompt_std=0)
    interval = mean_interval(values, (user, prompt))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / np.sqrt(len(values)), rel=0.25)


def test_same_seed_same_interval_in_any_order_of_rows():
    values, user, prompt = crossed(0)
    first = mean_interval(values, (user, prompt))
    order = np.random.default_rng(0).permutation(len(values))
    again = mean_interval(values[order], (user[order], prompt[order]))
    assert (again.low, again.high) == pytest.approx((first.low, first.high), abs=1e-12)
    assert mean_interval(values, (user, prompt), random_seed=1) != first


def test_blocks_do_not_change_the_numbers(monkeypatch):
    values, _, prompt = crossed(0)
    whole = mean_interval(values, (prompt,))
    monkeypatch.setattr("fsa.reports.bootstrap._CELLS_AT_ONCE", 100)
    assert mean_interval(values, (prompt,)).low == pytest.approx(whole.low, abs=1e-12)


def test_labels_may_be_names():
    values, user, prompt = crossed(0)
    names = np.array([f"u{u:03}" for u in user])
    assert mean_interval(values, (names, prompt)) == mean_interval(values, (user, prompt))


def test_every_seed_weighs_the_same_and_their_spread_is_in_the_interval():
    # Two trainings that are each exact about 1000 choices, one always right, one always wrong.
    values = np.concatenate([np.ones(1000), np.zeros(1000)])
    prompt = np.tile(np.arange(1000), 2)
    interval = mean_interval(values, (prompt,), seeds=np.repeat([0, 1], 1000))
    assert (interval.value, interval.n, interval.seeds) == (0.5, 1000, 2)
    assert (interval.low, interval.high) == (0, 1)  # both seeds the same in half of the draws


def test_seeds_that_agree_do_not_make_choices_more_numerous():
    values, user, prompt = crossed(0)
    one = mean_interval(values, (user, prompt))
    three = mean_interval(
        np.tile(values, 3), (np.tile(user, 3), np.tile(prompt, 3)), seeds=np.repeat([0, 1, 2], len(values))
    )
    assert (three.low, three.high) == pytest.approx((one.low, one.high), abs=1e-9)
    assert (three.n, three.seeds) == (one.n, 3)


def test_a_pair_is_narrower_than_its_parts_and_finds_the_difference():
    values, user, prompt = crossed(0)
    rivals = values - 0.1 + np.random.default_rng(9).normal(0, 0.2, len(values))
    pair = paired_interval(values, rivals, (user, prompt))
    alone = mean_interval(values, (user, prompt))
    assert pair.low <= 0.1 <= pair.high
    assert pair.low > 0
    assert pair.high - pair.low < 0.2 * (alone.high - alone.low)


def test_ece_interval_holds_the_value_of_ece():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 3000)
    correct = (rng.random(3000) < confidence - 0.1).astype(float)
    user, prompt = rng.integers(0, 100, 3000), rng.integers(0, 300, 3000)
    interval = ece_interval(confidence, correct, (user, prompt))
    assert interval.value == pytest.approx(ece(confidence, correct))
    assert interval.low < interval.value < interval.high
    # All bins are too sure, so the error is a mean: its interval is that of the mean gap.
    gap = mean_interval(confidence - correct, (user, prompt))
    assert interval.high - interval.low == pytest.approx(gap.high - gap.low, rel=0.3)


def test_ece_of_several_seeds_is_the_mean_of_each():
    rng = np.random.default_rng(0)
    confidence, correct = rng.uniform(0.5, 1, 900), rng.integers(0, 2, 900).astype(float)
    seeds = np.repeat([5, 6, 7], 300)
    each = [ece(confidence[seeds == s], correct[seeds == s]) for s in (5, 6, 7)]
    interval = ece_interval(confidence, correct, (np.tile(np.arange(300), 3),), seeds=seeds)
    assert interval.value == pytest.approx(np.mean(each))


@pytest.mark.parametrize(
    ("values", "by"),
    [
        (np.ones(3), ()),
        (np.ones(3), (np.arange(3),) * 3),
        (np.ones(3), (np.arange(2),)),
        (np.ones(0), (np.arange(0),)),
    ],
)
def test_rows_without_units_are_refused(values, by):
    with pytest.raises(ShapeError):
        mean_interval(values, by)


def test_a_pair_must_judge_the_same_choices():
    with pytest.raises(ShapeError, match="same choices"):
        paired_interval(np.ones(3), np.ones(2), (np.arange(3),))


@pytest.mark.parametrize(("sharper", "at_least", "at_most"), [(1.0, -0.01, 0.01), (2.0, 0.03, 1.0)])
def test_error_beyond_a_calibrated_model_s_is_zero_for_one_and_positive_for_the_overconfident(
    sharper, at_least, at_most
):
    rng = np.random.default_rng(0)
    log_odds = rng.uniform(0, 3, 3000)
    correct = (rng.random(3000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    said = 1 / (1 + np.exp(-sharper * log_odds))
    user = np.arange(3000)
    plain = ece_interval(said, correct, (user,), num_resamples=200)
    beyond = ece_interval(said, correct, (user,), num_resamples=200, calibrated=20)
    assert at_least < beyond.value < at_most
    assert beyond.low < beyond.value < beyond.high
    assert 0.01 < plain.value - beyond.value < 0.04  # about 0.4 / sqrt(200)
