import numpy as np
import pytest
from numpy.testing import assert_allclose

from eval.generations import unseen as unseen
from eval.generations.answers import AnswerWriter, Writing
from eval.generations.grid import joined
from eval.generations.raters import SandboxRater
from fsa.choices.sandbox import Sandbox
from fsa.errors import ConfigError
from fsa.outcomes import Pick
from fsa.types import Choice
from tests.factories.stand_in_policy import ARGUMENTS, BOTH, StandIn


@pytest.mark.parametrize("kind", ["long+cheerful", "cheerful+long"])
def test_a_type_that_was_trained_on_is_not_unseen(kind):
    trained = Sandbox(types=["long", "cheerful+long"], num_users=4)
    with pytest.raises(ConfigError, match="the run trained on that type"):
        unseen.sandbox_of(trained, {}, kind)


def test_unseen_people_are_asked_about_the_same_texts_under_the_same_split(sandbox, field):
    other = unseen.sandbox_of(sandbox, ARGUMENTS, "long+cheerful")
    new = unseen.field_of(other, BOTH, "test", 4, 6, 8, seed=1)
    assert new.groups == ["long+cheerful"]
    assert not new.fixed_users
    mine, theirs = sandbox.load(), other.load()
    assert mine.texts == theirs.texts
    held_out = {mine.text(int(number)) for number in np.unique(BOTH(mine).test.prompt)}
    assert set(new.prompts) <= held_out
    assert all(choice.prompt in held_out for person in new.subjects for choice in person.choices)
    judge = SandboxRater(other)
    assert_allclose(judge.tastes(new.subjects), np.tile(np.array([1, 1, 0, 0, 0]) / 2**0.5, (4, 1)))


def test_both_attributes_of_an_unseen_mixture_are_measured_in_their_own_direction(sandbox):
    other = unseen.sandbox_of(sandbox, ARGUMENTS, "long+cheerful")
    new = unseen.field_of(other, BOTH, "test", 6, 8, 8, seed=1)
    found = joined(unseen.cells_of(AnswerWriter(StandIn(), Writing()), new, SandboxRater(other), [0, 8], 0))
    by_metric = {(one.metric, one.size): one for one in found}
    own = by_metric["own_attribute_movement", 8]
    assert set(own.group) == {"long", "cheerful"}
    total = sum(own.where(own.group == pole).value.mean() for pole in ("long", "cheerful"))
    assert_allclose(by_metric["movement", 8].value.mean(), total / 2**0.5)
    assert by_metric["reversed_movement", 8].interval().high < 0
    assert_allclose(by_metric["implicit_accuracy", 0].interval().value, 0.5)  # equal rewards
    limit, whole = by_metric["bayes_accuracy", 8], by_metric["implicit_accuracy", 8]
    decided = by_metric["decided_implicit_accuracy", 8].interval()
    # Where the options differ in all, the better of one attribute is the worse of the other in half of them:
    # equally good to this person, who tosses a coin.
    assert_allclose(limit.interval().value, 0.75, atol=0.08)
    assert decided.value > 0.85
    assert whole.interval().value < decided.value
    assert decided.n == (np.abs(limit.value - 0.5) > 0).sum()
    assert by_metric["flip_implicit_accuracy", 8].interval().value < 0.45
    assert all(one.slice == {"unseen": "long+cheerful"} for one in found)


def test_rounding_in_rewards_of_texts_is_a_tie():
    choice = Choice("ann", "Tea?", ("Yes", "No"), Pick(0))
    assert unseen._credit(np.array([-3.00001, -3.0]), choice) == 0.5
    assert unseen._credit(np.array([-2.9, -3.0]), choice) == 1.0
