"""`OwnAnswers`: simulated people of known taste choose between answers that a model wrote itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from fsa.choices.reading.json_lines import json_lines, stop
from fsa.choices.reading.record import refuse
from fsa.choices.simulation.clone_users import crowd
from fsa.choices.simulation.simulate import simulate
from fsa.choices.source import Source
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.features.measures import MEASURES, measure
from fsa.types import Messages

POLES: Mapping[str, tuple[str, str]] = {
    "log_words": ("concise", "long"),
    "word_length": ("plain", "learned"),
    "log_first_person": ("impersonal", "personal"),
}
"""Who wants less and who wants more of each measure."""


class OwnAnswers(Source):
    """People of opposite types, two a measure, compare answers of `train.answers` by it, without slips.

    Offered are pairs of answers to one prompt that differ clearly in several measures; opposite types have
    the same pairs. In `counts`: `unfinished_answers`, cut where they were too long, `prompts_without_pairs`,
    whose answers do not differ enough, and `ties_dropped`, pairs that a type cannot choose between; all of
    them are left out.

    Args:
        path: JSONL file of lines with `prompt`, a chat, `response`, and `stopped`.
        poles: Of each measure of `fsa.features.measures`, the types who want less and more of it.
        people_per_type: People of each type.
        choices_per_person: Prompts that each of them answers at most.
        pairs_per_prompt: Most pairs of answers to a prompt; first one of each way to differ.
        differ_in: In how many measures, at least, the answers of a pair differ clearly.
        least_gap: What is clear, > 0, in standard deviations over all answers; smaller gaps are ties.
        seed: Of who answers what, and of the order of two answers.

    Raises:
        ConfigError: A measure or a number is not allowed.
    """

    def __init__(
        self,
        path: str,
        *,
        poles: dict[str, list[str]] | None = None,
        people_per_type: int = 60,
        choices_per_person: int = 40,
        pairs_per_prompt: int = 4,
        differ_in: int = 2,
        least_gap: float = 0.5,
        seed: int = 0,
    ) -> None:
        named = poles or POLES
        if unknown := set(named) - set(MEASURES):
            raise ConfigError(f"poles name {sorted(unknown)}; measures are {', '.join(MEASURES)}")
        types = [pole for two in named.values() for pole in two]
        if any(len(two) != 2 for two in named.values()) or len(set(types)) < len(types):
            raise ConfigError(f"poles must be two types a measure, each of its own name, came {dict(named)}")
        if min(people_per_type, choices_per_person, pairs_per_prompt) < 1 or least_gap <= 0:
            raise ConfigError("numbers of people, choices and pairs are 1 or more, least_gap is above 0")
        if not 1 <= differ_in <= len(named):
            raise ConfigError(f"differ_in is {differ_in}; it is 1 to the number of measures, {len(named)}")
        self.path = path
        self.poles: Mapping[str, tuple[str, str]] = {name: (low, high) for name, (low, high) in named.items()}
        self.people_per_type, self.choices_per_person = people_per_type, choices_per_person
        self.pairs_per_prompt, self.differ_in = pairs_per_prompt, differ_in
        self.least_gap, self.seed = least_gap, seed

    @property
    def types(self) -> dict[str, dict[str, float]]:
        """Weight of each measure for each type."""
        return {
            pole: {name: weight}
            for name, two in self.poles.items()
            for pole, weight in zip(two, (-1.0, 1.0), strict=True)
        }

    def load(self) -> ChoiceTable:
        """All people's choices.

        Raises:
            ChoiceDataError: The file cannot be read, or no two answers to a prompt differ enough.
        """
        prompts, item_prompt, responses, unfinished = self._answers
        levels = self.levels(responses)
        pairs = [
            pair
            for number in range(len(prompts))
            for pair in self._pairs(levels, np.flatnonzero(item_prompt == number))
        ]
        if not pairs:
            raise ChoiceDataError(
                f"{self.path}: must hold two answers to a prompt that differ by {self.least_gap} standard "
                f"deviations in {self.differ_in} of {', '.join(self.poles)}, came none in {len(responses)}"
            )
        table = simulate(
            levels,
            self.types,
            attributes=list(self.poles),
            prompts=prompts,
            responses=responses,
            item_prompt=item_prompt,
            pairs=np.array(pairs),
            seed=self.seed,
        )
        gap = np.abs(np.diff(levels[table.option.reshape(-1, 2)], axis=1))[:, 0]  # [n, a]
        weight = np.array([[abs(each.get(name, 0)) for name in self.poles] for each in self.types.values()])
        is_clear = (gap * weight[table.user]).sum(1) >= self.least_gap
        counts = {
            "unfinished_answers": unfinished,
            "prompts_without_pairs": len(prompts) - len(np.unique(item_prompt[np.array(pairs)[:, 0]])),
            "ties_dropped": len(pairs) * len(self.types) - int(is_clear.sum()),
        }
        kept = table.select(is_clear)
        people = crowd(kept, self.people_per_type, self.choices_per_person, seed=self.seed)
        return people.with_counts(counts)

    def levels(self, responses: Sequence[str]) -> Float[np.ndarray, "m a"]:
        """Each measure of any responses, in standard deviations from the mean of the file's answers."""
        mean, spread = self._scale
        found: Float[np.ndarray, "m a"] = (measure(list(self.poles), responses) - mean) / spread
        return found

    @cached_property
    def _scale(self) -> tuple[Float[np.ndarray, " a"], Float[np.ndarray, " a"]]:
        known = measure(list(self.poles), self._answers[2])
        spread = known.std(0)
        if not spread.all():
            same = [name for name, by in zip(self.poles, spread, strict=True) if not by]
            raise ChoiceDataError(
                f"{self.path}: all answers have the same {same[0]}; nobody can choose by it"
            )
        return known.mean(0), spread

    @cached_property
    def _answers(self) -> tuple[list[Messages], Int[np.ndarray, " m"], list[str], int]:
        """Prompts, the prompt of each different answer, the answers, and how many were cut."""
        numbers: dict[str, int] = {}
        prompts: list[Messages] = []
        found: dict[tuple[int, str], None] = {}
        unfinished = 0
        for chat, response, stopped in answer_lines(self.path):
            number = numbers.setdefault(repr(chat), len(prompts))
            if number == len(prompts):
                prompts.append(chat)
            if stopped and response:
                found.setdefault((number, response))
            unfinished += not stopped
        if not found:
            raise ChoiceDataError(f"{self.path}: must hold at least one finished answer, came none")
        item_prompt = np.array([number for number, _ in found], np.int64)
        return prompts, item_prompt, [response for _, response in found], unfinished

    def _pairs(self, levels: Float[np.ndarray, "m a"], items: Int[np.ndarray, " k"]) -> list[tuple[int, int]]:
        """Pairs of a prompt's answers: the clearest of each way to differ, then the next clearest of each."""
        ways: dict[tuple[float, ...], list[tuple[float, int, int]]] = {}
        for one, other in itertools.combinations(items.tolist(), 2):
            gap = levels[one] - levels[other]
            way = np.where(np.abs(gap) >= self.least_gap, np.sign(gap), 0)
            if (way != 0).sum() >= self.differ_in:
                # A way and its opposite are one; a gap counts up to two spreads: none stands for all.
                key = tuple(way * way[np.flatnonzero(way)[0]])
                ways.setdefault(key, []).append((-float(np.minimum(np.abs(gap), 2).sum()), one, other))
        ranked = [(place, *pair) for same in ways.values() for place, pair in enumerate(sorted(same))]
        return [(one, other) for _, _, one, other in sorted(ranked)[: self.pairs_per_prompt]]


def answer_lines(path: str) -> Iterator[tuple[Messages, str, bool]]:
    """Prompt, response, and whether it came to its end, of each line of a file of `train.answers`.

    Raises:
        ChoiceDataError: The file cannot be read, or a line is no answer.
    """
    for where, line in json_lines(path, stop):
        if not (isinstance(line, dict) and "about" in line):
            yield _parsed(line, where)


def _parsed(line: Any, where: str) -> tuple[Messages, str, bool]:
    if not isinstance(line, Mapping):
        refuse(where, "line", "an object", line)
    chat, response, stopped = line.get("prompt"), line.get("response"), line.get("stopped", True)
    are_messages = isinstance(chat, list) and all(
        isinstance(message, Mapping) and all(isinstance(message.get(k), str) for k in ("role", "content"))
        for message in chat
    )
    if not chat or not are_messages:
        refuse(where, "prompt", "a chat: a list of messages with role and content", chat)
    if not isinstance(response, str):
        refuse(where, "response", "a text", response)
    if not isinstance(stopped, bool):
        refuse(where, "stopped", "true or false", stopped)
    return tuple(chat), response, stopped
