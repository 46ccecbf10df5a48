"""The sandbox: balanced text of known style, users of known taste, and the Bayes limit they imply."""

import re

import numpy as np
import pytest

from fsa.choices.sandbox import ATTRIBUTES, Sandbox
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.simulation.tastes import POLE_NAMES, ContinuousTastes
from fsa.errors import ConfigError
from fsa.recipes.measuring.bayes import BayesPredictor


@pytest.fixture(scope="module")
def default():
    sandbox = Sandbox()
    return sandbox, sandbox.load()


def bayes_accuracy(sandbox, table, num_seen, num_targets=20):
    """Share of targets where the Bayes choice is the user's, by group; coin flips where options are equal."""
    per_user = sandbox.choices_per_user
    rows = np.arange(table.num_users)[:, None] * per_user + np.arange(per_user)
    seen, target = rows[:, :num_seen], rows[:, -num_targets:]
    probability = BayesPredictor(sandbox.truth(table), table).predict(seen, target)
    probability = probability.round(9) + 1e-10 * np.random.default_rng(0).random(probability.shape)
    is_right = table.place.reshape(len(table), -1)[target[..., None], probability.argmax(-1)[..., None]] == 0
    return {
        table.groups[int(group)].as_py(): is_right[table.group[target] == group].mean()
        for group in np.unique(table.group)
    }


# Text


# Choices


def test_two_loads_are_equal(default):
    _, table = default
    again = Sandbox().load()
    assert again.texts.equals(table.texts)
    np.testing.assert_array_equal(again.option, table.option)
    np.testing.assert_array_equal(again.place, table.place)
    assert not np.array_equal(Sandbox(seed=1).load().place, table.place)


def test_every_item_is_a_text_of_its_own_and_options_answer_their_prompt(default):
    _, table = default
    assert table.num_items == 1600
    assert len(set(table.texts.to_pylist())) == len(table.texts)
    options = table.option.reshape(-1, 2)
    assert (table.item_prompt[options] == table.prompt[:, None]).all()
    assert (options[:, 0] != options[:, 1]).all()


def test_levels_are_those_of_the_text(default):
    sandbox, table = default
    texts = [table.response(item) for item in range(400)]
    measured = np.stack([measure(texts)[name] for name in ATTRIBUTES], 1)
    assert (np.sign(measured) == sandbox.attributes(table)[:400]).mean() > 0.97


def test_a_user_meets_a_prompt_once_and_shares_it_with_others(default):
    _, table = default
    keys = table.user.astype(np.int64) * 1000 + table.prompt
    assert len(np.unique(keys)) == len(table)
    assert np.bincount(table.prompt).min() >= 20  # 60 on average


def test_a_split_by_prompt_leaves_every_user_with_choices_on_both_sides(default):
    _, table = default
    is_test = np.random.default_rng(0).permutation(400)[table.prompt] < 100
    per_user = np.bincount(table.user, weights=is_test)
    assert per_user.min() >= 1  # 10 on average
    assert per_user.max() <= 30


def test_the_position_of_an_option_tells_nothing(default):
    _, table = default
    first_wins = (table.place.reshape(-1, 2)[:, 0] == 0).mean()
    assert first_wins == pytest.approx(0.5, abs=4 * 0.5 / len(table) ** 0.5)


def test_every_attribute_differs_in_most_pairs(default):
    sandbox, table = default
    first, second = np.moveaxis(sandbox.attributes(table)[table.option.reshape(-1, 2)], 1, 0)
    # Both keep to their side or both leave it: 0.95^2 + 0.05^2.
    np.testing.assert_allclose((first != second).mean(0), 0.905, atol=0.03)


def test_a_type_picks_its_pole_as_often_as_bradley_terry_says(default):
    sandbox, table = default
    levels = sandbox.attributes(table)[table.option.reshape(-1, 2)]  # [n, k, a]
    of_long = table.group == POLE_NAMES.index("long")
    gap = (levels[:, 0, 0] - levels[:, 1, 0])[of_long]
    picked_first = table.place.reshape(-1, 2)[of_long, 0] == 0
    # Poles are 2 apart at 2 nats each: 1 / (1 + exp(-4)).
    assert (picked_first == (gap > 0))[gap != 0].mean() == pytest.approx(0.982, abs=0.012)


def test_bayes_accuracy_is_chance_before_any_choice_and_grows_with_each(default):
    sandbox, table = default
    curve = [np.mean(list(bayes_accuracy(sandbox, table, seen).values())) for seen in (0, 1, 3, 10)]
    assert curve[0] == pytest.approx(0.5, abs=0.02)
    assert curve[1] > curve[0] + 0.1
    assert curve[2] > curve[1] + 0.08
    assert curve[3] > curve[2] + 0.08
    opposite = bayes_accuracy(sandbox, table, 0)
    for high, low in zip(POLE_NAMES[::2], POLE_NAMES[1::2], strict=True):
        assert (opposite[high] + opposite[low]) / 2 == pytest.approx(0.5, abs=0.04)


def test_ten_choices_tell_every_type_well_enough_to_be_right_in_85_of_100(default):
    accuracy = bayes_accuracy(*default, num_seen=10)
    assert len(accuracy) == 10
    assert min(accuracy.values()) > 0.85


@pytest.mark.parametrize(
    "options",
    [
        {"tastes": "continuous"},
        {"flip_noise": 0.3},
        {"outcome": "tie"},
        {"outcome": "tie", "flip_noise": 0.3},
        {"num_options": 3},
        {"num_options": 4, "outcome": "ranking", "flip_noise": 0.3},
        {"types": ["long+cheerful", "concise+plain", "formal"], "responses_per_prompt": 3},
    ],
)
def test_the_truth_is_as_sure_as_it_is_right(options):
    sandbox = Sandbox(num_prompts=108, num_users=600, choices_per_user=20, **options)
    table = sandbox.load()
    rows = np.arange(600)[:, None] * 20 + np.arange(20)
    predicted = BayesPredictor(sandbox.truth(table), table).predict(rows[:, :10], rows[:, 10:])
    places = table.place.reshape(600, 20, -1)[:, 10:]
    is_picked = (places == 0) & ((places == 0).sum(-1, keepdims=True) == 1)
    # Bin by the probability that the truth gives an option: it is picked as often as that says.
    for low in np.arange(0, 1, 0.2):
        in_bin = (predicted >= low) & (predicted < low + 0.2)
        if in_bin.sum() > 300:
            error = is_picked[in_bin].mean() - predicted[in_bin].mean()
            assert abs(error) < 4.5 * (0.25 / in_bin.sum()) ** 0.5
    likelihood = BayesPredictor(sandbox.truth(table), table).log_likelihood(rows)
    assert np.isfinite(likelihood).all()
    assert (likelihood <= 0).all()


@pytest.mark.parametrize(("outcome", "num_outcomes"), [("pick", 3), ("ranking", 6), ("tie", 3)])
def test_pure_noise_makes_all_outcomes_equally_likely(outcome, num_outcomes):
    sandbox = Sandbox(
        num_prompts=54, num_users=300, choices_per_user=20, num_options=2 if outcome == "tie" else 3,
        outcome=outcome, flip_noise=0.999999,
    )  # fmt: skip
    table = sandbox.load()
    _, counts = np.unique(table.place.reshape(len(table), -1), axis=0, return_counts=True)
    assert len(counts) == num_outcomes
    np.testing.assert_allclose(counts / len(table), 1 / num_outcomes, atol=0.025)
    likelihood = BayesPredictor(sandbox.truth(table), table).log_likelihood(np.arange(len(table))[:, None])
    np.testing.assert_allclose(likelihood, -np.log(num_outcomes), atol=1e-4)


def test_each_outcome_option_gives_its_kind():
    small = {"num_prompts": 20, "num_users": 20}
    assert Sandbox(**small).load().outcome_kinds == {"pick"}
    assert Sandbox(**small, num_options=3, outcome="ranking").load().outcome_kinds == {"ranking"}
    assert Sandbox(**small, outcome="tie").load().outcome_kinds == {"pick", "tie"}


def test_continuous_users_are_grouped_by_what_they_weigh_most():
    weights, group = ContinuousTastes().users(500, seed=0)
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), 1)
    assert np.abs(weights.mean(0)).max() < 0.08  # 0.02 is one standard deviation
    attribute, is_low = np.divmod(group, 2)
    strongest = weights[np.arange(500), attribute]
    np.testing.assert_array_equal(np.abs(strongest), np.abs(weights).max(1))
    np.testing.assert_array_equal(strongest < 0, is_low == 1)
    np.testing.assert_allclose(ContinuousTastes().prior(0).sum(0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_prompts": 10**6}, "num_prompts"),
        ({"num_users": 0}, "num_users"),
        ({"choices_per_user": 0}, "choices_per_user"),
        ({"num_options": 5}, "num_options"),
        ({"num_options": 3, "outcome": "tie"}, "ties need"),
        ({"overlap": 0.7}, "overlap"),
        ({"flip_noise": 1.0}, "flip_noise"),
        ({"tie_weight": 0.0}, "tie_weight"),
        ({"types": ["tall"]}, "'tall' is no pole"),
        ({"types": ["long+concise"]}, "names length twice"),
        ({"types": ["long", "long"]}, "different names"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_by_name(options, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        Sandbox(**options)


def test_the_truth_of_another_table_is_refused(default):
    _, table = default
    with pytest.raises(ConfigError, match="1600 items"):
        Sandbox(num_prompts=10).truth(table)
