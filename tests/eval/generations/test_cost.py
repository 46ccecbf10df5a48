"""What steering costs."""

from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest

from eval.generations.cost import chat, costs, distinct, diversity
from eval.generations.grid import rows_of
from eval.generations.people import HeldOutPanel, HeldOutUser
from eval.generations.questions import Question

SYSTEM = {"role": "system", "content": "Be brief."}


class Knows:
    """A policy that is right where nobody is known, and else where who is known asks for it."""

    def for_users(self, contexts):
        return [choices[0] for choices in contexts]

    def generate(self, people, prompts, **options):
        self.asked, self.people = prompts, people
        return ["4" if person is None or i % person == 0 else "5" for i, person in enumerate(people)]


def test_correctness_is_paired_with_the_reference_question_by_question_in_every_group():
    # Who is of group "all of them" has every answer right, of "half of them" every other one.
    people = [HeldOutUser(f"u{i}", i, "all of them", (1,), ()) for i in range(2)]
    people += [HeldOutUser(f"u{i}", i, "half of them", (2,), ()) for i in range(2, 5)]
    field = HeldOutPanel(tuple(people), ((SYSTEM, {"role": "user", "content": "p"}),), False)
    asked, policy = [Question(f"What is 2 + 2 + {i} - {i}?", "4") for i in range(40)], Knows()
    answers = SimpleNamespace(policy=policy, console=None, writing=SimpleNamespace(batch_size=8))
    found = [rows_of(cells, "d", "m", field.groups, False) for cells in costs(answers, field, 8, asked, 0)]
    rows = {(row.metric, row.group): row for row in chain(*found)}
    assert rows["reference_correct_share", "all"].value == 1
    assert rows["correct_share", "all"].value == 0.75
    assert rows["correct_minus_reference", "all of them"].value == 0
    assert rows["correct_minus_reference", "half of them"].value == -0.5
    assert rows["correct_minus_reference", "worst"].value == -0.5
    assert rows["correct_minus_reference", "all"].high < 0
    assert rows["correct_minus_reference", "all"].n == 80
    assert rows["correct_minus_reference", "all"].context_size == 8
    assert policy.people == [1] * 40 + [2] * 40
    assert policy.asked[0] == policy.asked[40] == (SYSTEM, {"role": "user", "content": asked[0].text})


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
