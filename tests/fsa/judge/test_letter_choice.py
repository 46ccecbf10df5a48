"""A language model that names a response: which response that is, and when it is none."""

import json

import pytest

from fsa.errors import ConfigError
from fsa.judge.engines.engine import Reply
from fsa.judge.letter_choice import LetterChoice, NamedChoice
from fsa.judge.scores import Probe
from fsa.judge.target import AlignmentTarget
from tests.factories.judges import Scripted, shown_in


def names(text):
    """Chooses this response, under whatever letter it stands."""

    def answer(question):
        letter = next(letter for letter, shown in shown_in(question).items() if shown == text)
        return json.dumps({"reasoning": "It is best.", "choice": letter})

    return answer


PROBES = [Probe(f"p{i}", "", ("one", "two", "three")) for i in range(12)]


def test_the_letter_is_taken_back_to_its_response():
    engine = Scripted(names("two"))
    choices = LetterChoice(engine).choose(PROBES)
    assert choices == [NamedChoice((1,), "It is best.", ())] * 12
    assert len({tuple(shown_in(question).values()) for question in engine.asked}) > 1  # shuffled


def test_only_the_aligned_choice_hears_the_target():
    engine = Scripted(names("one"))
    judge = LetterChoice(engine)
    judge.choose(PROBES[:1])
    judge.choose(PROBES[:1], AlignmentTarget({"verbosity": 0.25}))
    assert "verbosity" not in engine.asked[0].instructions
    assert "- verbosity: 25" in engine.asked[1].instructions
    assert engine.asked[0].ask == engine.asked[1].ask
    assert judge.cost.requests == 2


def test_equal_responses_are_chosen_together():
    (choice,) = LetterChoice(Scripted(names("same"))).choose([Probe("p", "", ("same", "other", "same"))])
    assert choice == NamedChoice((0, 2), "It is best.", ("duplicate response",))


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("I cannot choose.", "not JSON"),
        ("I'm sorry, no.", "refusal"),
        ('{"reasoning": "So.", "choice": "Z"}', "unknown letter"),
        ('{"choice": "A"}', "malformed answer"),
        (Reply('{"reasoning": "So.", "choice": "A"}', "truncated"), "truncated"),
        (Reply(None, "HTTP 500"), "HTTP 500"),
    ],
)
def test_without_a_valid_answer_nothing_is_chosen(reply, problem):
    (choice,) = LetterChoice(Scripted(lambda _: reply)).choose(PROBES[:1])
    assert choice == NamedChoice((), None, (problem,))


def test_numbers_below_one_are_refused():
    with pytest.raises(ConfigError, match="max_chars must be 1 or more, came 0"):
        LetterChoice(Scripted(names("one")), max_chars=0)
