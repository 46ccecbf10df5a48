import pytest

from fsa.errors import ChoiceDataError, ConfigError
from fsa.outputs.history import History, choice_key
from fsa.types import Choice, Pick


def choice(text: str, user: str = "ann") -> Choice:
    return Choice(user, "prompt", (text, "other"), Pick(0))


def test_the_order_that_choices_came_in_makes_no_difference():
    one, other = choice("a"), choice("b")
    assert History((one, other)).canonical() == History((other, one)).canonical()
    assert [weight for _, _, weight in History((one, other)).canonical()] == [1.0, 1.0]


def test_with_a_half_life_older_choices_count_less():
    known = History((choice("b"), choice("c"), choice("a")), half_life=2.0).canonical()
    assert [(c.options[0], w) for c, _, w in known] == [("a", 1.0), ("b", 0.5), ("c", 0.5**0.5)]


def test_a_forgotten_choice_is_gone_every_time_it_was_made():
    history = History((choice("a"), choice("b"), choice("a", user="bob")))
    assert history.without(choice("a")).choices == (choice("b"),)
    with pytest.raises(ChoiceDataError, match="no such choice to forget among the 3"):
        history.without(choice("c"))


def test_the_opposite_is_another_choice():
    assert choice_key(choice("a")) != choice_key(choice("a").reversed())


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("inf"), float("nan")])
def test_a_half_life_is_a_number_above_zero(wrong):
    with pytest.raises(ConfigError, match="half_life is in choices"):
        History((), wrong)
