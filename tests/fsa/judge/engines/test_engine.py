"""A question as a chat and as a text to continue."""

from fsa.judge.engines.engine import Question

QUESTION = Question("Judge.", (("2 + 2?", "4"), ("3 + 3?", "6")), "4 + 4?", {}, max_tokens=5)


def test_a_chat_alternates_and_ends_with_the_question():
    turns = [(message["role"], message["content"]) for message in QUESTION.messages()]
    assert turns == [
        ("system", "Judge."),
        ("user", "2 + 2?"),
        ("assistant", "4"),
        ("user", "3 + 3?"),
        ("assistant", "6"),
        ("user", "4 + 4?"),
    ]


def test_a_text_shows_answers_as_it_wants_the_next():
    assert QUESTION.plain() == (
        "Judge.\n\n"
        "### Question\n2 + 2?\n\n### Answer\n4\n\n"
        "### Question\n3 + 3?\n\n### Answer\n6\n\n"
        "### Question\n4 + 4?\n\n### Answer\n"
    )
