"""The made-up people of `tests.factories.contents` are who they are said to be."""

from collections import Counter

import pytest

from tests.factories.contents import TASTES, contents

ASKING = ("What have you", "How much time", "Which part worries")  # begin the questions of its texts


def test_people_take_turns_among_five_tastes_and_nobody_is_asked_twice():
    rows = contents(people=50, choices=20)
    assert Counter(row["group"] for row in rows) == dict.fromkeys(TASTES, 200)
    assert len({(row["user"], row["prompt"]) for row in rows}) == len(rows) == 1000
    assert 0.45 < sum(row["chosen"] for row in rows) / len(rows) < 0.55


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_they_choose_what_holds_their_taste_but_for_the_noise(noise):
    rows = contents(people=50, choices=60, noise=noise, tastes=("question",))
    holds = [[any(part in text for part in ASKING) for text in row["options"]] for row in rows]
    told_apart = [(row["chosen"], held) for row, held in zip(rows, holds, strict=True) if len(set(held)) == 2]
    assert len(told_apart) > 0.9 * len(rows)
    wrong = sum(not held[chosen] for chosen, held in told_apart) / len(told_apart)
    assert wrong == pytest.approx(noise, abs=0.03)
