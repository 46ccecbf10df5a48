"""What steering costs."""

from types import SimpleNamespace

import numpy as np
import pytest

from eval.generations.cost import chat, correctness, distinct, diversity
from eval.generations.people import HeldOutPanel, HeldOutUser
from eval.generations.questions import Question

SYSTEM = {"role": "system", "content": "Be brief."}


class Knows:
    """A policy that is right where nobody is known, and on every other question where somebody is."""

    def for_users(self, contexts):
        return [SimpleNamespace(seen=len(context)) for context in contexts]

    def generate(self, people, prompts, **options):
        self.asked = prompts
        return ["4" if person is None or i % 2 else "5" for i, person in enumerate(people)]


def test_correctness_is_paired_with_the_reference_question_by_question():
    people = tuple(HeldOutUser(f"u{i}", i, "g", (), ()) for i in range(3))
    field = HeldOutPanel(people, ((SYSTEM, {"role": "user", "content": "p"}),), False)
    asked, policy = [Question(f"What is 2 + 2 + {i} - {i}?", "4") for i in range(40)], Knows()
    rows = {(row.metric, row.context_size): row for row in correctness(policy, field, [8], asked, "d", "m")}
    assert rows["reference_correct_share", 0].value == 1
    assert rows["correct_share", 8].value == 0.5
    assert rows["correct_minus_reference", 8].value == -0.5
    assert rows["correct_minus_reference", 8].high < 0
    assert rows["correct_minus_reference", 8].n == 40
    assert policy.asked[0] == (SYSTEM, {"role": "user", "content": asked[0].text})


def test_a_question_is_asked_as_the_prompts_are():
    assert chat("2 + 2?", "a plain prompt") == "2 + 2?"
    assert chat("2 + 2?", ({"role": "user", "content": "p"},)) == ({"role": "user", "content": "2 + 2?"},)


def test_distinct_pairs_of_words_by_hand():
    assert distinct(["a b a b"]) == pytest.approx(2 / 3)  # ab, ba, ab
    assert distinct(["one", ""]) == 0


def test_equally_many_answers_are_compared():
    own = np.array([[["a b"], ["a b"]], [["a b"], ["c d"]]], object)  # [p=2, q=2, c=1]
    reference = np.array([["a b", "c d", "e f"], ["g h", "i j", "k l"]], object)  # [q, r]
    rows = {row.metric: row for row in diversity(own, reference, "d", "m", 8)}
    assert rows["distinct_2"].value == 2 / 4
    assert rows["reference_distinct_2"].value == 1
    assert rows["distinct_2"].n == rows["reference_distinct_2"].n == 4
