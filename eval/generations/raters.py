"""`Rater`: what says how an answer is, and what each person wants of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from eval.generations.people import HeldOutUser
from fsa.choices.own_answers import OwnAnswers
from fsa.choices.sandbox import Sandbox
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.sandbox_text.wordings import ATTRIBUTES, POLES
from fsa.choices.source import Source
from fsa.errors import ConfigError
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.measuring.runs import Method
from fsa.runs.folder import CONFIG_YAML, read_yaml
from fsa.types import Text

_AT_ONCE = 256
_FURTHEST = 3.0  # standard deviations


class Rater(ABC):
    """Measures answers on a few scales, and knows how each person weighs them.

    Attributes:
        names: What is measured, one name a scale.
    """

    names: tuple[str, ...]

    @abstractmethod
    def measure(self, prompts: Sequence[Text], answers: Sequence[str]) -> Float[np.ndarray, "m a"]:
        """How each answer is, comparable between answers to one prompt."""

    @abstractmethod
    def tastes(self, subjects: Sequence[HeldOutUser]) -> Float[np.ndarray, "p a"]:
        """How much each person gains by one more of each scale.

        Raises:
            ConfigError: The judge does not know a person.
        """

    @abstractmethod
    def named_by(self, group: str) -> dict[str, Float[np.ndarray, " a"]]:
        """The scales that a group is named for, each with its direction; none where it is named for none."""

    def each(self, prompts: Sequence[Text], answers: Sequence[str]) -> Float[np.ndarray, "m a"]:
        """`measure`, every different pair of prompt and answer once."""
        pairs = [(repr(prompt), answer) for prompt, answer in zip(prompts, answers, strict=True)]
        first: dict[tuple[str, str], int] = {}
        for i, pair in enumerate(pairs):
            first.setdefault(pair, i)
        places = {pair: place for place, pair in enumerate(first)}
        found = self.measure([prompts[i] for i in first.values()], [answers[i] for i in first.values()])
        return found[[places[pair] for pair in pairs]]


class SandboxRater(Rater):
    """The sandbox's own attributes, counted in the text, each from -1 to 1.

    Args:
        sandbox: Knows its users' tastes.
    """

    names = ATTRIBUTES

    def __init__(self, sandbox: Sandbox) -> None:
        self.weights, _ = sandbox.tastes.users(sandbox.num_users, sandbox.seed)

    def measure(self, prompts: Sequence[Text], answers: Sequence[str]) -> Float[np.ndarray, "m a"]:
        found = measure(list(answers))
        return np.stack([found[name] for name in self.names], 1)

    def tastes(self, subjects: Sequence[HeldOutUser]) -> Float[np.ndarray, "p a"]:
        return self.weights[[int(subject.name.removeprefix("user-")) for subject in subjects]]

    def named_by(self, group: str) -> dict[str, Float[np.ndarray, " a"]]:
        return {pole: direction(pole) for pole in group.split("+") if pole}


class MeasuredRater(Rater):
    """The measures that a source's people choose by, in standard deviations over its answers.

    Cut at three on either side: an answer of one endless word is not ten ordinary ones' worth.

    Args:
        source: Knows its types' tastes.
    """

    def __init__(self, source: OwnAnswers) -> None:
        self.source, self.names = source, tuple(source.poles)

    def measure(self, prompts: Sequence[Text], answers: Sequence[str]) -> Float[np.ndarray, "m a"]:
        return np.clip(self.source.levels(answers), -_FURTHEST, _FURTHEST)

    def tastes(self, subjects: Sequence[HeldOutUser]) -> Float[np.ndarray, "p a"]:
        return np.array([self._weights(subject.group) for subject in subjects])

    def named_by(self, group: str) -> dict[str, Float[np.ndarray, " a"]]:
        return {group: self._weights(group)}

    def _weights(self, group: str) -> Float[np.ndarray, " a"]:
        weights = self.source.types[group]
        return np.array([weights.get(name, 0.0) for name in self.names])


class RewardRater(Rater):
    """Dedicated reward models, one a group; a person gains by the reward of their own group, in nats.

    Args:
        models: A reward model for each group, trained on that group's choices alone.
    """

    def __init__(self, models: Mapping[str, RewardModel]) -> None:
        self.models, self.names = dict(models), tuple(models)

    def measure(self, prompts: Sequence[Text], answers: Sequence[str]) -> Float[np.ndarray, "m a"]:
        return np.stack([self._rewards(model, prompts, answers) for model in self.models.values()], 1)

    def _rewards(
        self, model: RewardModel, prompts: Sequence[Text], answers: Sequence[str]
    ) -> Float[np.ndarray, " m"]:
        unknown, rewards = model.for_user([]), []
        for start in range(0, len(answers), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            responses = [[answer] for answer in answers[part]]
            scores = model.score_batch([unknown] * len(responses), prompts[part], responses)
            rewards += [float(score.reward[0]) for score in scores]
        return np.array(rewards)

    def tastes(self, subjects: Sequence[HeldOutUser]) -> Float[np.ndarray, "p a"]:
        for subject in subjects:
            if subject.group not in self.names:
                known = ", ".join(self.names)
                raise ConfigError(f"no --judge for the group {subject.group!r}; there are some for {known}")
        return np.eye(len(self.names))[[self.names.index(subject.group) for subject in subjects]]

    def named_by(self, group: str) -> dict[str, Float[np.ndarray, " a"]]:
        return {}


def judge_of(given: Sequence[str], source: Source, trust_remote_code: bool = False) -> Rater:
    """A simulation's own judge or, where run folders or globs are given, their reward models by group.

    Raises:
        ConfigError: There is neither, a model is of no group, or two are of one.
    """
    if not given:
        if isinstance(source, Sandbox):
            return SandboxRater(source)
        if isinstance(source, OwnAnswers):
            return MeasuredRater(source)
        raise ConfigError("--judge is missing: only simulations know how their own texts are to be judged")
    models: dict[str, RewardModel] = {}
    for folder in (folder for one in given for folder in Method.of(one).runs):
        group = read_yaml(folder / CONFIG_YAML).get("only_group")
        if group is None or group in models:
            which = "names no only_group" if group is None else f"is the second for the group {group!r}"
            raise ConfigError(f"--judge {folder}: its {CONFIG_YAML} {which}; a judge is of one group alone")
        models[group] = RewardModel.from_pretrained(folder, trust_remote_code=trust_remote_code)
    return RewardRater(models)


def direction(pole: str) -> Float[np.ndarray, " a"]:
    """+1 or -1 for the attribute that a pole is an end of, 0 for the others."""
    return np.array([(pole == high) - (pole == low) for low, high in POLES.values()], np.float64)
