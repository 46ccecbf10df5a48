import json
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from eval.generations.people import HeldOutUser
from eval.generations.raters import RewardRater, SandboxRater, direction, judge_of
from eval.generations.steering import Scale
from fsa.choices.own_answers import OwnAnswers
from fsa.choices.sandbox_text.composing import compose
from fsa.choices.synthetic import Synthetic
from fsa.errors import ConfigError
from tests.factories.stand_in_policy import levels_of


def subject(group: str, number: int = 0, choices=(), others=()) -> HeldOutUser:
    return HeldOutUser(f"user-{number}", number, group, tuple(choices), tuple(others))


def test_people_and_poles_weigh_as_the_sandbox_made_them(sandbox, field):
    judge = SandboxRater(sandbox)
    for person, taste in zip(field.subjects, judge.tastes(field.subjects), strict=True):
        assert_allclose(taste, direction(person.group))
    assert_allclose(direction("plain"), [0, -1, 0, 0, 0])
    assert list(judge.named_by("long+cheerful")) == ["long", "cheerful"]
    text = compose(0, (1, -1, 1, 1, -1), seed=0, index=3)
    assert_allclose(judge.measure([""], [text]), [levels_of(text)])


class Likes:
    """A dedicated reward model: the reward is how often a word comes."""

    def __init__(self, word: str) -> None:
        self.word, self.scored = word, 0

    def for_user(self, choices) -> None:
        return None

    def score_batch(self, people, prompts, responses):
        self.scored += len(responses)
        return [SimpleNamespace(reward=np.array([each[0].count(self.word)])) for each in responses]


def test_dedicated_rewards_judge_their_own_group_and_the_same_text_once():
    judge = RewardRater({"a": Likes("x"), "b": Likes("y")})
    levels = Scale(judge, ["p"])(np.array([[["xxy"]], [["y"]], [["y"]]], object))
    assert_allclose(levels[:, 0, 0], [[2, 1], [0, 1], [0, 1]])
    assert judge.models["a"].scored == 2
    assert_allclose(judge.tastes([subject("b"), subject("a")]), [[0, 1], [1, 0]])
    assert judge.named_by("a") == {}
    with pytest.raises(ConfigError, match="no --judge for the group 'c'; there are some for a, b"):
        judge.tastes([subject("c")])


def test_other_data_than_the_sandbox_needs_judges_of_one_group_each(tmp_path):
    with pytest.raises(ConfigError, match="--judge is missing"):
        judge_of([], Synthetic())
    (tmp_path / "config.yaml").write_text("only_group: null\n")
    with pytest.raises(ConfigError, match="names no only_group"):
        judge_of([str(tmp_path)], Synthetic())


def test_measured_people_weigh_the_measure_that_their_type_is_an_end_of(tmp_path):
    path = tmp_path / "answers.jsonl"
    texts = ["One.", "One!", "It is one two three four.", "It is one two three four!"]
    chat = [{"role": "user", "content": "q"}]
    path.write_text("".join(json.dumps({"prompt": chat, "response": text}) + "\n" for text in texts))
    poles = {"log_words": ["concise", "long"], "log_exclamations": ["calm", "lively"]}
    judge = judge_of([], OwnAnswers(str(path), poles=poles))
    assert judge.names == ("log_words", "log_exclamations")
    assert_allclose(judge.measure([chat] * 4, texts), [[-1, -1], [-1, 1], [1, -1], [1, 1]])
    # Cut at three standard deviations: an endless answer is not worth many ordinary ones.
    assert_allclose(judge.measure([chat], ["one " * 10_000]), [[3, -1]])
    assert_allclose(judge.tastes([subject("concise"), subject("lively")]), [[-1, 0], [0, 1]])
    assert_allclose(judge.named_by("calm")["calm"], [0, -1])
