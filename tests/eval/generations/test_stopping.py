from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from eval.generations.answers import AnswerWriter, Writing
from eval.generations.distance import REFERENCE_STOPPED, STOPPED
from eval.generations.people import HeldOutPanel, HeldOutUser
from eval.generations.steering import GeneratedAnswers
from eval.generations.stopping import STOPPED_RATIO, WRITTEN_RATIO, _ratios, of_written, stopping
from fsa.types import Belief
from tests.eval.generations.test_distance import after_a_b_c, small, train_somehow
from tests.eval.generations.test_rivals import Words
from tests.factories.stand_in_policy import cells

__all__ = ["small"]


class Two(Words):
    names = ("words", "letters")

    def named_by(self, group):
        return {group: np.array([1.0, 0.0] if group == "long" else [0.0, -1.0])}


def test_the_share_that_stops_is_a_ratio_of_shares_in_all_and_by_attribute():
    groups = ["long", "long", "plain", "plain"]
    own = cells(STOPPED, [0, 1, 1, 1], groups)
    found = {
        one.slice["attribute"]: one for one in _ratios(own, replace(own, value=np.array([1, 1, 1, 0])), Two())
    }
    assert {one.metric for one in found.values()} == {STOPPED_RATIO}
    values = {name: one.interval().value for name, one in found.items()}
    # 3 of 4 over 3 of 4; 1 of 2 over 2 of 2; 2 of 2 over 1 of 2.
    assert values == pytest.approx({"all": 1.0, "words": 0.5, "letters": 2.0})
    assert not list(_ratios(own, replace(own, value=np.zeros(4)), Two()))


def test_shares_that_stop_are_those_of_the_next_tokens_probabilities(small):
    train_somehow(small)
    z = torch.tensor([[1.0, -1.0, 0.5]])
    log_p, log_r = after_a_b_c(small, z)
    people = (HeldOutUser("u0", 0, "long", (), ()), HeldOutUser("u1", 1, "plain", (), ()))
    small.for_users = lambda contexts: [SimpleNamespace(belief=Belief.point(z)) for _ in contexts]
    writing = Writing(max_new_tokens=1, do_sample=True, batch_size=500, seed=3)
    field = HeldOutPanel(people, ("a b c",), False)
    found = {
        (one.metric, one.slice.get("attribute")): one
        for one in stopping(small, field, 8, 4000, Two(), writing, 0)
    }
    end = small.texts.tokenizer.eos_token_id  # answers are one token long: they stop where it is the end
    shares = [float(each.exp()[end]) for each in (log_p, log_r)]
    assert_allclose(found[STOPPED, None].value.mean(), shares[0], atol=0.03)
    assert_allclose(found[REFERENCE_STOPPED, None].value.mean(), shares[1], atol=0.03)
    assert set(found) == {(STOPPED, None), (REFERENCE_STOPPED, None)} | {
        (STOPPED_RATIO, name) for name in ("all", "words", "letters")
    }
    assert len(found[STOPPED, None].value) == 4000


def test_of_written_answers_those_stopped_that_are_two_tokens_short_of_the_limit(small):
    people = (HeldOutUser("u0", 0, "long", (), ()), HeldOutUser("u1", 1, "plain", (), ()))
    field = HeldOutPanel(people, ("a b c",), False)

    def texts(*rows: list[str]) -> np.ndarray:
        return np.array(rows, object)[:, None]

    written = GeneratedAnswers(
        reference=texts(["a b", "a b c d", "a b c", "a"]),  # 2, 4, 3 and 1 of at most 4 tokens: half stopped
        prior=texts(["a", "a", "a", "a"]),
        given={8: texts(["a b"], ["a b c d"])},
        reversed=texts(["a"], ["a b c"]),
    )
    answers = AnswerWriter(small, Writing(max_new_tokens=4))
    found = {one.slice["attribute"]: one for one in of_written(answers, written, field, Two(), 0)}
    values = {name: one.interval().value for name, one in found.items()}
    # In all 2 of 4 against a half; of the first both, of the second none.
    assert values == pytest.approx({"all": 1.0, "words": 2.0, "letters": 0.0})
    assert {one.metric for one in found.values()} == {WRITTEN_RATIO}
