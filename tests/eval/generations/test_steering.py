import numpy as np
import pytest
from numpy.testing import assert_allclose

from eval.generations.answers import Answers, Writing
from eval.generations.steering import moved, wins, write
from fsa.choices.sandbox_text.measuring import measure
from fsa.errors import ConfigError
from tests.factories.stand_in_policy import StandIn


def test_one_belief_is_asked_one_prompt_once(field):
    policy = StandIn()
    answers = Answers(policy, Writing())
    nobody, also_nobody = policy.for_users([[], []])
    first = answers.of([nobody, also_nobody, None], ["p", "q"])
    assert first.shape == (3, 2, 1)
    assert len(policy.asked) == 4  # nobody and the reference, two prompts each
    assert (answers.of([nobody], ["q"]) == first[:1, 1:]).all()
    assert len(policy.asked) == 4


def test_samples_are_asked_for_apart():
    policy = StandIn()
    answers = Answers(policy, Writing(do_sample=True, samples=3))
    assert answers.of([None], ["p"]).shape == (1, 1, 3)
    assert len(policy.asked) == 3
    assert Writing(do_sample=True).options == {
        "max_new_tokens": 200,
        "do_sample": True,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
    }


def test_what_everybody_is_compared_with_is_drawn_more_often(field):
    written = write(Answers(StandIn(), Writing(do_sample=True, samples=2)), field, [0, 3])
    assert written.prior.shape == written.reference.shape == (1, 6, 32)
    assert written.given[0].shape == (16, 6, 32)
    assert written.given[3].shape == written.reversed.shape == (16, 6, 2)


@pytest.mark.parametrize("wrong", [{"samples": 2}, {"samples": 0}, {"temperature": 0.0}])
def test_ways_of_writing_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        Writing(**wrong)


def test_movement_is_the_gain_in_what_a_person_weighs():
    # Two people who want opposite things of the first scale; one prompt, two samples of two scales.
    after = np.array([[[[1.0, 0.5], [0.0, 0.5]]], [[[1.0, 0.0], [1.0, 0.0]]]])
    before = np.array([[[[-1.0, 0.0], [0.0, 0.0]]]])
    assert_allclose(moved(after, before, np.array([[1.0, 0.0], [-1.0, 0.0]])), [[1.0], [-1.5]])
    assert_allclose(moved(after, before, np.array([[0.0, 2.0], [0.0, 2.0]])), [[1.0], [0.0]])


def test_a_win_is_better_than_the_rival_by_ones_own_taste_and_a_tie_is_half():
    mine = np.array([[[[0.5]], [[0.2]], [[-1.0]]], [[[0.5]], [[0.2]], [[-1.0]]]])  # [2, 3, 1, 1]
    rival = np.array([[[[0.0]], [[0.2]], [[0.0]]]])
    assert_allclose(wins(mine, rival, np.array([[1.0], [-3.0]])), [[1, 0.5, 0], [0, 0.5, 1]])


def test_samples_are_compared_each_against_each():
    mine, rival = np.array([[[[1.0], [-1.0]]]]), np.array([[[[0.0], [-1.0]]]])
    assert_allclose(wins(mine, rival, np.ones((1, 1))), [[(1 + 1 + 0 + 0.5) / 4]])
    more = np.array([[[[0.0], [-1.0], [2.0]]]])
    assert_allclose(wins(mine, more, np.ones((1, 1))), [[(1 + 1 + 0 + 0 + 0.5 + 0) / 6]])
    assert_allclose(moved(mine, more, np.ones((1, 1))), [[0 - 1 / 3]])


def test_nobodys_answers_are_one_a_prompt_and_everybodys_one_each(field):
    policy = StandIn()
    written = write(Answers(policy, Writing()), field, [0, 8])
    assert written.prior.shape == written.reference.shape == (1, 6, 1)
    assert written.given[8].shape == written.reversed.shape == (16, 6, 1)
    assert (written.given[0] == written.prior).all()
    i = next(i for i, person in enumerate(field.subjects) if person.group == "cheerful")
    assert (measure(list(written.given[8][i, :, 0]))["tone"] > 0.5).all()
    assert (measure(list(written.reversed[i, :, 0]))["tone"] < -0.5).all()
