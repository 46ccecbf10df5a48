from dataclasses import replace

import numpy as np
import pytest

from eval.questions.limit import ASKED, AT_RANDOM, in_order_of_the_limit, rows_of_the_limit
from fsa.choices.sandbox import Sandbox
from fsa.recipes.measuring.runs import Data, Settings


@pytest.fixture(scope="module")
def at() -> Data:
    sandbox = Sandbox(num_prompts=40, num_users=60, choices_per_user=30)
    table = sandbox.load()
    episodes = Settings([14], episodes=60, max_targets=10).frozen(table)
    return Data("sandbox", table, table, sandbox.truth(table), episodes, False)


def test_the_first_question_tells_most_of_ten_equally_likely_kinds(at: Data):
    asked = in_order_of_the_limit(at, 3).context
    assert at.truth is not None
    rewards = at.truth.rewards.astype(float)  # [t, m]
    pair = at.table.option[at.table.option_offsets[at.episodes.context][..., None] + np.arange(2)]
    likely = 1 / (1 + np.exp(rewards[:, pair[..., 1]] - rewards[:, pair[..., 0]])).transpose(
        1, 2, 0
    )  # [b, n, t]

    def entropy(p: np.ndarray) -> np.ndarray:
        return -p * np.log(p) - (1 - p) * np.log1p(-p)

    gain = entropy(likely.mean(-1)) - entropy(likely.clip(1e-12, 1 - 1e-12)).mean(-1)
    best = at.episodes.context[np.arange(60), gain.argmax(1)]
    assert (asked[:, 0] == best).all()


def test_what_was_answered_does_not_choose_the_first_question(at: Data):
    turned = replace(at.table, place=1 - at.table.place)  # everybody prefers the other option
    other = Data("sandbox", turned, turned, at.truth, at.episodes, False)
    first, same = (in_order_of_the_limit(one, 1).context for one in (at, other))
    assert (first == same).all()


def test_each_context_is_some_of_its_pool_and_nothing_twice(at: Data):
    asked = in_order_of_the_limit(at, 20).context
    assert asked.shape == (60, 14)
    assert (np.sort(asked, 1) == np.sort(at.episodes.context, 1)).all()


def test_asking_pays_and_nothing_asked_is_as_at_random(at: Data):
    rows = {(row.method, row.metric, row.context_size): row for row in rows_of_the_limit(at, [0, 3, 10])}
    assert rows[ASKED, "accuracy", 0].value == rows[AT_RANDOM, "accuracy", 0].value
    gain = rows[ASKED, "asked_over_random", 3]
    assert gain.low > 0.02
    apart = rows[ASKED, "accuracy", 3].value - rows[AT_RANDOM, "accuracy", 3].value
    np.testing.assert_allclose(gain.value, apart)
