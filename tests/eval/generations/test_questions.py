"""Questions with known answers."""

import pytest

from eval.generations.questions import FACTS, Question, is_right, questions, right


def test_five_hundred_questions_differ_and_come_back():
    asked = questions(500)
    assert len({question.text for question in asked}) == 500
    assert asked == questions(500)
    assert questions(500, seed=1) != asked
    assert len(questions(20)) == 20


def test_every_sum_is_what_its_question_says():
    sums = [question for question in questions(500) if question.answer.isdigit()]
    assert len(sums) == 500 - sum(map(len, FACTS.values()))
    for question in sums:
        assert eval(question.text.removeprefix("What is ").rstrip("?")) == int(question.answer)
        assert int(question.answer) >= 0


@pytest.mark.parametrize(
    ("answer", "says", "is_so"),
    [
        ("7", "3 + 4 = 7.", True),
        ("7", "The result of 7 and 0 is 17", False),
        ("12", "It is 1,2", True),
        ("7", "I do not know!", False),
        ("Paris", "Oh, paris, I love it!", True),
        ("Rome", "Romeo", False),
    ],
)
def test_an_answer_is_looked_for_as_a_word_of_its_own(answer, says, is_so):
    question = Question("?", answer)
    assert is_right(question, says) is is_so
    assert right([question], [says]).tolist() == [float(is_so)]
