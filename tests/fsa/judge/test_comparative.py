"""The comparative judge with examples: what it shows, and in which form."""

import numpy as np

from fsa.judge.comparative import ComparativeJudge
from fsa.judge.examples import SimilarExamples
from fsa.judge.plain import PlainJudge
from fsa.judge.schema import read_scores
from fsa.judge.scores import AttributeScores, Labelled, Probe
from tests.factories.features import Hashed
from tests.factories.judges import Scripted, by_length, rated

# A small one, for the family's contract.
EXAMPLES = {"ComparativeJudge": lambda: ComparativeJudge(Scripted(by_length), attributes=["verbosity"])}

LABELS = np.array([[0.0, 0.25], [1.0, 0.5]])
TRAIN = [
    Labelled(
        Probe(f"t{i}", f"prompt {i}", (f"small {i}", f"large {i}")),
        AttributeScores(("verbosity", "care"), LABELS, reasoning=(("Short.", "Cool."), ("Long.", "Warm."))),
    )
    for i in range(4)
]
PROBE = Probe("p", "a prompt", ("one 30", "two 60"))


def asked_with_examples(judge_class, **arguments):
    engine = Scripted(rated)
    judge = judge_class(engine, examples=SimilarExamples(Hashed()), **arguments)
    judge.learn(TRAIN)
    judge.score([PROBE])
    return engine.asked


def test_examples_are_answered_in_the_very_schema_asked_for():
    asked = asked_with_examples(ComparativeJudge, attributes=["verbosity"], samples=2)
    assert len(asked) == 2
    for question in asked:
        assert len(question.shots) == 2  # one a level, 0 and 1
        for ask, answer in question.shots:
            found, problems = read_scores(answer, "AB", 200)
            assert problems == ()
            # Whichever letter it stands under, the small response has 0 and the large one 1.
            for letter, scored in found.items():
                is_large = f"Response {letter}:\nlarge" in ask
                assert (scored.score, scored.reasoning) == ((1.0, "Long.") if is_large else (0.0, "Short."))


def test_what_samples_share_is_everything_before_the_question():
    first, second = asked_with_examples(ComparativeJudge, attributes=["verbosity"], samples=2)
    assert (first.instructions, first.shots) == (second.instructions, second.shots)


def test_each_attribute_has_its_own_examples_labels_and_instructions():
    verbosity, care = asked_with_examples(ComparativeJudge, attributes=["verbosity", "care"])
    assert "verbosity" in verbosity.instructions
    assert "care" in care.instructions
    assert '"Warm.", "score": 50' in care.shots[0][1]


def test_the_plain_judge_shows_one_response_an_example_each_level_once():
    for question in asked_with_examples(PlainJudge, attributes=["verbosity"]):
        shown = sorted(read_scores(answer, "A", 200)[0]["A"].score for _, answer in question.shots)
        assert shown == [0.0, 1.0]
        assert all("Response B" not in ask for ask, _ in question.shots)
