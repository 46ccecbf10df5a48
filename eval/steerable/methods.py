"""What `eval.steerable` compares: judges that score, language models that choose, and the oracle."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from eval.steerable.answer_log import Answers
from fsa.errors import ConfigError
from fsa.judge.judge import Cost, Judge
from fsa.judge.letter_choice import LetterChoice
from fsa.judge.scores import AttributeScores, Labelled, Probe
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from fsa.recipes.configured import parts_of, presets
from fsa.seeding import stable_hash

ORACLE = "oracle"
_KINDS = {
    "judge": Judge | None,
    "chooser": LetterChoice | None,
    "fixed_target": dict[str, float] | None,
    "aligned": bool | None,
}

Unit = tuple[Probe, AlignmentTarget]


class Method(ABC):
    """Chooses a response to a probe for a target. What it says is kept, and asked for only once."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def id(self, probe: Probe, target: AlignmentTarget) -> str:
        """Names the answer that a choice rests on; choices may share one."""

    @abstractmethod
    def ask(self, units: Sequence[Unit], progress: bool) -> list[dict[str, Any]]:
        """Answers as JSON allows them, one a unit."""

    @abstractmethod
    def picks(self, answer: Mapping[str, Any], target: AlignmentTarget) -> tuple[int, ...]:
        """Places of the chosen responses: several where they tie, none where the method cannot tell."""

    def learn(self, train: Sequence[Labelled]) -> None:  # noqa: B027
        """Take in the labelled probes; most language models need none."""

    def scores(self, answer: Mapping[str, Any]) -> AttributeScores | None:
        """Scores in an answer, where there are any."""
        return None

    @property
    def cost(self) -> Cost:
        """What all asking so far took."""
        return Cost()


class Scored(Method):
    """A judge's scores, and the response nearest the target; asked once a probe, whatever the target."""

    def __init__(self, name: str, judge: Judge, fixed: AlignmentTarget | None = None) -> None:
        super().__init__(name)
        self.judge, self.fixed = judge, fixed
        self._parsed: dict[str, AttributeScores] = {}

    def id(self, probe: Probe, target: AlignmentTarget) -> str:
        return probe.key

    def learn(self, train: Sequence[Labelled]) -> None:
        self.judge.learn(train, progress=True)

    def ask(self, units: Sequence[Unit], progress: bool) -> list[dict[str, Any]]:
        scores = self.judge.score([probe for probe, _ in units], progress)
        return [{"scores": one.to_json()} for one in scores]

    def scores(self, answer: Mapping[str, Any]) -> AttributeScores:
        one = answer["id"]
        if one not in self._parsed:
            self._parsed[one] = AttributeScores.from_json(answer["scores"])
        return self._parsed[one]

    def picks(self, answer: Mapping[str, Any], target: AlignmentTarget) -> tuple[int, ...]:
        # A reward model is steered to the largest reward, for any target.
        return select(self.scores(answer), self.fixed or target).ties

    @property
    def cost(self) -> Cost:
        return self.judge.cost


class Named(Method):
    """A language model names its choice: told the target (prompt-aligned), or not (unaligned)."""

    def __init__(self, name: str, chooser: LetterChoice, aligned: bool) -> None:
        super().__init__(name)
        self.chooser, self.aligned = chooser, aligned

    def id(self, probe: Probe, target: AlignmentTarget) -> str:
        return f"{probe.key} {target.name}" if self.aligned else probe.key

    def ask(self, units: Sequence[Unit], progress: bool) -> list[dict[str, Any]]:
        by_target: dict[str, list[int]] = {}
        for place, (_, target) in enumerate(units):
            by_target.setdefault(target.name if self.aligned else "", []).append(place)
        answers: dict[int, dict[str, Any]] = {}
        for places in by_target.values():
            told = units[places[0]][1] if self.aligned else None
            chosen = self.chooser.choose([units[place][0] for place in places], told, progress)
            for place, one in zip(places, chosen, strict=True):
                answers[place] = asdict(one)
        return [answers[place] for place in range(len(units))]

    def picks(self, answer: Mapping[str, Any], target: AlignmentTarget) -> tuple[int, ...]:
        # Equal responses that were named together are one choice, not several.
        return tuple(answer["responses"])

    @property
    def cost(self) -> Cost:
        return self.chooser.cost


class Oracle(Scored):
    """The labels themselves: what a perfect judge would choose."""

    def __init__(self, test: Sequence[Labelled]) -> None:
        Method.__init__(self, ORACLE)
        self.fixed, self._parsed = None, {}
        self._labels = {each.probe.key: each.labels for each in test}

    def learn(self, train: Sequence[Labelled]) -> None:
        return None

    def ask(self, units: Sequence[Unit], progress: bool) -> list[dict[str, Any]]:
        return [{"scores": self._labels[probe.key].to_json()} for probe, _ in units]

    @property
    def cost(self) -> Cost:
        return Cost()


def answered(
    method: Method,
    path: Path,
    about: Mapping[str, Any],
    train: Sequence[Labelled],
    units: Sequence[Unit],
    batch: int,
) -> Answers:
    """A method's answers to all units: those on file, and the others asked for in batches and kept.

    Args:
        method: What is asked.
        path: JSONL file of its answers.
        about: The method's configuration.
        train: What it may learn from.
        units: Probes and targets.
        batch: Answers asked for at once; an interrupted run loses at most these.

    Raises:
        ConfigError: The file holds answers of another method or data.
    """
    learned = stable_hash(json.dumps([each.probe.key for each in train]))
    answers = Answers(path, {"method": method.name, **about, "train": f"{learned:016x}"})
    missing: dict[str, Unit] = {}
    for probe, target in units:
        one = method.id(probe, target)
        if one not in answers:
            missing.setdefault(one, (probe, target))
    if missing:
        method.learn(train)
    waiting = list(missing.items())
    for start in range(0, len(waiting), batch):
        part = waiting[start : start + batch]
        before = method.cost
        found = method.ask([unit for _, unit in part], progress=False)
        lines = [{"id": one, **answer} for (one, _), answer in zip(part, found, strict=True)]
        answers.add(lines, method.cost - before)
    return answers


def method_of(given: str) -> tuple[Method, dict[str, Any]]:
    """A method from `FILE.yaml` or the name of a preset in configs/judge, `NAME=` before it or not; and its
    configuration.

    The file has `judge` (a `Judge`) and perhaps `fixed_target` (levels that it is steered to whatever the
    target), or `chooser` (a `LetterChoice`) and perhaps `aligned: true`.

    Raises:
        ConfigError: There is no such file, or it does not say what to build.
    """
    name, equals, place = given.rpartition("=")
    own = presets() / "judge"
    path = Path(place) if Path(place).suffix else own / f"{place}.yaml"
    name = name if equals else path.stem
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        known = ", ".join(sorted(one.stem for one in own.glob("*.yaml")))
        raise ConfigError(
            f"--judge {given}: {path} cannot be read ({error}); a file, or one of {known}"
        ) from error
    parts = parts_of(config, _KINDS, str(path))
    fixed = None if parts["fixed_target"] is None else AlignmentTarget(parts["fixed_target"])
    if (parts["judge"] is None) == (parts["chooser"] is None):
        raise ConfigError(f"{path}: must have judge or chooser, and not both")
    if parts["judge"] is not None:
        return Scored(name, parts["judge"], fixed), config
    return Named(name, parts["chooser"], bool(parts["aligned"])), config
