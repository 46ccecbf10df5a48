"""Rivals that change no weight."""

from types import SimpleNamespace

import numpy as np

from eval.generations.answers import AnswerWriter, Writing
from eval.generations.people import HeldOutPanel, HeldOutUser
from eval.generations.raters import Rater
from eval.generations.rivals import (
    STATEMENTS,
    BestOfReference,
    ChoicesInPrompt,
    StatedPreference,
    cells_of,
    rivals_of,
    told,
)
from fsa.types import Choice, Pick

PROMPT = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "p"})
CHOICE = Choice("u", ({"role": "user", "content": "Tea?"},), ("No.", "Yes, I do!"), Pick(1))


def subject(number: int, group: str) -> HeldOutUser:
    return HeldOutUser(f"u{number}", number, group, (CHOICE,), ())


FIELD = HeldOutPanel((subject(0, "long"), subject(1, "concise")), (PROMPT,), False)


class Echo:
    """A reference that says how long its system prompt is, in words, and how often it was asked."""

    texts = None

    def __init__(self) -> None:
        self.asked: list = []

    def generate(self, people, prompts, **options):
        self.asked += prompts
        return ["word " * len(prompt[0]["content"].split()) for prompt in prompts]


class Words(Rater):
    names = ("words",)

    def measure(self, prompts, answers):
        return np.array([[len(answer.split())] for answer in answers], float)

    def tastes(self, subjects):
        return np.array([[1.0 if one.group == "long" else -1.0] for one in subjects])

    def named_by(self, group):
        return {}


def test_choices_are_written_out_behind_the_system_prompt():
    system, asked = ChoicesInPrompt().prompt(FIELD.subjects[0], PROMPT, 8)
    assert system["content"].startswith("Be brief. Answer in the way this user prefers.")
    assert system["content"].endswith("Question: Tea?\nChosen: Yes, I do!\nNot chosen: No.")
    assert asked == PROMPT[1]
    assert told("p", "Be kind.") == "Be kind.\n\np"


def test_a_stated_preference_is_written_once_for_all_people_of_a_type():
    policy = Echo()
    answers = AnswerWriter(policy, Writing())
    field = HeldOutPanel((*FIELD.subjects, subject(2, "long")), (PROMPT,), False)
    found = StatedPreference().write(answers, field, 8)
    assert found.shape == (3, 1, 1)
    assert found[0, 0, 0] == found[2, 0, 0]
    assert len(policy.asked) == 2
    for kind in ("long", "concise"):
        assert sum(STATEMENTS[kind] in asked[0]["content"] for asked in policy.asked) == 1


def test_the_best_of_four_is_each_persons_own_and_no_answer_they_are_compared_with():
    class Draws(Echo):
        def generate(self, people, prompts, **options):
            return [f"a{i} " * i for i in range(len(prompts))]

    class Rewards:
        def for_users(self, contexts):
            return [+1, -1][: len(contexts)]

        def score_batch(self, people, prompts, options):
            return [
                SimpleNamespace(reward=np.array([person * len(option) for option in each]))
                for person, each in zip(people, options, strict=True)
            ]

    answers = AnswerWriter(Draws(), Writing(do_sample=True, shared_samples=2))
    found = BestOfReference(Rewards()).write(answers, FIELD, 8)[:, 0, 0]
    # Six are drawn, the first two of which are the reference's own.
    assert found.tolist() == ["a5 " * 5, "a2 " * 2]


def test_movement_is_from_the_reference_in_the_direction_of_each_taste():
    answers = AnswerWriter(Echo(), Writing())
    reference = np.array([[["word word"]]], object)
    rival = StatedPreference()
    cells = {one.metric: one for one in cells_of(rival, answers, reference, FIELD, Words(), 8)}
    lengths = [len(rival.prompt(one, PROMPT, 8)[0]["content"].split()) for one in FIELD.subjects]
    assert cells["movement"].value.tolist() == [lengths[0] - 2, -(lengths[1] - 2)]
    assert cells["against_reference_win_rate"].value.tolist() == [1, 0]


def test_types_without_a_statement_and_no_reward_model_leave_their_rivals_out():
    unnamed = HeldOutPanel((subject(0, "helpful"),), (PROMPT,), False)
    assert [rival.name for rival in rivals_of(unnamed, None)] == ["choices in the prompt"]
    assert len(rivals_of(FIELD, object())) == 3  # type: ignore[arg-type]


def test_the_best_of_four_is_at_most_as_far_as_its_bound():
    [found] = BestOfReference(object()).distance(AnswerWriter(Echo(), Writing()), FIELD, 8, 50)  # type: ignore[arg-type]
    assert found.metric == "kl_per_answer"
    # log 4 - 3 / 4 = 1.386 - 0.75
    np.testing.assert_allclose(found.value, 0.6363, atol=1e-4)
    # Of four equally likely answers the k-th best is the best of four draws with these chances.
    chance = np.diff((np.arange(5) / 4) ** 4)
    assert (chance * np.log(chance / 0.25)).sum() < found.value[0]
