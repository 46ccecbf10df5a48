"""Attribute scores and weights in, choices out."""

import numpy as np
import pytest

from fsa.choices.simulation.simulate import simulate
from fsa.errors import ConfigError
from fsa.types import Pick, Tie

ATTRIBUTES = ["depth", "length"]
LONG, SHORT = {"length": 1.0}, {"length": -1.0}


def simulated(scores, users, sizes, **options):
    scores = np.asarray(scores, float)
    item_prompt = np.repeat(np.arange(len(sizes)), sizes)
    responses = [f"response {i}" for i in range(len(scores))]
    prompts = [f"prompt {i}" for i in range(len(sizes))]
    return simulate(
        scores,
        users,
        attributes=ATTRIBUTES,
        prompts=prompts,
        responses=responses,
        item_prompt=item_prompt,
        **options,
    )


def winners(table, user):
    """What a user chose, by the texts compared."""
    choices = [table.choice(row) for row in table.rows_of(user)]
    return {frozenset(c.options): c.options[c.outcome.index] for c in choices if isinstance(c.outcome, Pick)}


def test_the_larger_weighted_sum_wins():
    table = simulated(
        [[1, 0], [0, 2], [3, 1], [0, 2]], {"long": LONG, "both": {"depth": 1.0, "length": 0.6}}, [2, 2]
    )
    first, second = frozenset(["response 0", "response 1"]), frozenset(["response 2", "response 3"])
    assert winners(table, "long") == {first: "response 1", second: "response 3"}
    # 1 against 1.2, 3.6 against 1.2
    assert winners(table, "both") == {first: "response 1", second: "response 2"}
    assert [table.choice(i).group for i in range(4)] == ["long", "long", "both", "both"]


def test_opposite_weights_choose_the_opposite():
    scores = np.random.default_rng(0).random((40, 2))
    table = simulated(scores, {"long": LONG, "short": SHORT}, [2] * 20)
    long, short = winners(table, "long"), winners(table, "short")
    assert all({long[pair], short[pair]} == pair for pair in long)
    assert len(long) == 20


def test_ties_are_dropped_and_counted_or_kept():
    scores = [[1, 1], [5, 1], [0, 1], [0, 2]]
    dropped = simulated(scores, {"long": LONG, "short": SHORT}, [2, 2])
    assert (len(dropped), dropped.counts) == (2, {"ties_dropped": 2})
    kept = simulated(scores, {"long": LONG}, [2, 2], ties="keep")
    assert kept.choice(0).outcome == Tie((0, 1))
    assert kept.counts == {}


def test_sums_that_differ_only_by_rounding_are_ties():
    # 0.1 + 0.2 is not 0.3 in floating point.
    table = simulated([[1, 1], [1.5, 0.75]], {"u": {"depth": 0.1, "length": 0.2}}, [2], ties="keep")
    assert table.choice(0).outcome == Tie((0, 1))


def test_all_pairs_of_a_prompt():
    table = simulated(np.arange(14).reshape(7, 2), {"long": LONG}, [4, 3])
    assert len(table) == 6 + 3
    assert len(winners(table, "long")) == 9


def test_a_sample_of_pairs_is_the_same_for_all_users():
    table = simulated(
        np.arange(20).reshape(10, 2), {"long": LONG, "short": SHORT}, [5, 5], pairs_per_prompt=4
    )
    assert len(table) == 2 * 2 * 4
    assert winners(table, "long").keys() == winners(table, "short").keys()
    other = simulated(np.arange(20).reshape(10, 2), {"long": LONG}, [5, 5], pairs_per_prompt=4, seed=1)
    assert winners(table, "long").keys() != winners(other, "long").keys()


def test_explicit_pairs():
    table = simulated(np.arange(8).reshape(4, 2), {"long": LONG}, [4], pairs=np.array([[0, 3], [2, 1]]))
    assert winners(table, "long").keys() == {
        frozenset(["response 0", "response 3"]), frozenset(["response 1", "response 2"])
    }  # fmt: skip


def test_order_says_nothing_of_the_outcome():
    # The better response is always listed first; it must not always be shown first.
    table = simulated(np.tile([[0, 2], [0, 1]], (2000, 1)), {"long": LONG}, [2] * 2000)
    first_wins = (table.place.reshape(-1, 2)[:, 0] == 0).mean()
    assert first_wins == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2000))


def test_noise_follows_bradley_terry():
    # A gap of 1 at temperature 0.5: the better wins with probability sigmoid(2) = 0.881.
    table = simulated(np.tile([[0, 2], [0, 1]], (5000, 1)), {"long": LONG}, [2] * 5000, temperature=0.5)
    better_wins = np.mean([w.endswith(tuple("02468")) for w in winners(table, "long").values()])
    assert better_wins == pytest.approx(1 / (1 + np.exp(-2)), abs=4 * np.sqrt(0.881 * 0.119 / 5000))
    assert table.counts == {"ties_dropped": 0}


def test_more_users_and_prompts_change_nothing_for_the_first():
    scores = np.random.default_rng(0).random((40, 2))
    few = simulated(scores[:20], {"long": LONG}, [2] * 10, temperature=0.3)
    many = simulated(scores, {"short": SHORT, "long": LONG}, [2] * 20, temperature=0.3)
    first = [many.choice(row) for row in many.rows_of("long")][:10]
    assert [few.choice(row) for row in range(10)] == first


def test_splits_belong_to_prompts():
    table = simulated([[0, 1], [0, 2], [0, 1], [0, 2]], {"long": LONG}, [2, 2], splits=["test", "train"])
    assert [(table.choice(i).prompt, table.choice(i).split) for i in range(2)] == [
        ("prompt 0", "test"), ("prompt 1", "train")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("users", "options", "said"),
    [
        ({"long": {"lenght": 1.0}}, {}, "weighs .'lenght'.; scored are"),
        ({}, {}, "at least one"),
        ({"long": LONG}, {"temperature": -1.0}, "temperature must be >= 0"),
        ({"long": LONG}, {"pairs_per_prompt": 0}, "pairs_per_prompt >= 1"),
    ],
)
def test_wrong_arguments_raise(users, options, said):
    with pytest.raises(ConfigError, match=said):
        simulated([[0, 1], [0, 2]], users, [2], **options)


def test_scores_of_another_shape_raise():
    with pytest.raises(ConfigError, match=r"scores must be \[responses, attributes\] = \[3, 2\]"):
        simulated(np.zeros((3, 1)), {"long": LONG}, [3])


def test_a_user_who_only_ties_is_not_there():
    table = simulated([[0, 1], [1, 1]], {"long": LONG, "deep": {"depth": 1.0}}, [2])
    assert table.users.to_pylist() == ["deep"]
    assert table.choice(0).group == "deep"
