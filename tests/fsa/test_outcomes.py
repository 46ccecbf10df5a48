from hypothesis import given

from fsa.outcomes import Pick, Ranking, Tie, outcome_of, reversed_places
from tests.factories.outcomes import outcomes


def test_places_are_zero_for_the_best():
    assert Pick(2).places(3) == (1, 1, 0)
    assert Tie((0, 2)).places(3) == (0, 1, 0)
    assert Ranking((2, 0, 1)).places(3) == (1, 2, 0)
    assert Ranking((2, 0)).places(5) == (1, 2, 0, 2, 2)


@given(outcomes())
def test_outcome_of_is_the_inverse_of_places(case):
    outcome, k = case
    assert outcome_of(outcome.places(k)) == outcome


@given(outcomes())
def test_places_say_the_same_after_a_round_trip(case):
    outcome, k = case
    assert outcome_of(outcome.places(k)).places(k) == outcome.places(k)


def test_a_ranking_that_only_names_a_best_option_is_a_pick():
    assert outcome_of(Ranking((1, 0)).places(2)) == Pick(1)
    assert outcome_of(Ranking((1,)).places(4)) == Pick(1)


@given(outcomes())
def test_reversing_twice_changes_nothing(case):
    places = case[0].places(case[1])
    assert reversed_places(reversed_places(places)) == places
