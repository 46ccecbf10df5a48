"""`LetterChoice`: a language model names the response it would choose: the baselines without scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fsa.errors import ConfigError
from fsa.features.rendering import plain
from fsa.judge.attributes import HELPSTEER2, MORAL_FOUNDATIONS, Attribute
from fsa.judge.engines.engine import Engine, Question, Reply
from fsa.judge.judge import Cost
from fsa.judge.prompts import choosing_instructions, under_letters
from fsa.judge.regression import cost_of, distinct_texts, most_tokens
from fsa.judge.schema import choice_schema, letters_for, read_choice
from fsa.judge.scores import Probe
from fsa.judge.target import AlignmentTarget
from fsa.seeding import random_bits, stable_hash


@dataclass(frozen=True)
class NamedChoice:
    """What a language model chose.

    Attributes:
        responses: Places of the chosen response in the probe, more than one where equal responses were
            given; empty without a valid answer, so nothing is ever chosen for it.
        reasoning: One sentence, or None.
        problems: Kinds of trouble, one entry for each time it happened.
    """

    responses: tuple[int, ...]
    reasoning: str | None
    problems: tuple[str, ...]


class LetterChoice:
    """Asks for the letter of one response: the unaligned choice, and the prompt-aligned one.

    Args:
        engine: Carries the questions to a language model.
        attributes: Definitions that a target is put in words with, besides the known ones.
        max_reasoning: Most characters of the reasoning.
        max_chars: Most characters of each prompt and response shown; None shows all.
        seed: Of the letters' order.

    Raises:
        ConfigError: A number is below 1.
    """

    def __init__(
        self,
        engine: Engine,
        attributes: Sequence[Attribute] = (),
        max_reasoning: int = 200,
        max_chars: int | None = None,
        seed: int = 0,
    ) -> None:
        for name, value in (("max_reasoning", max_reasoning), ("max_chars", max_chars)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be 1 or more, came {value}")
        self.engine, self.max_reasoning, self.max_chars, self.seed = engine, max_reasoning, max_chars, seed
        self.defined = (*HELPSTEER2, *MORAL_FOUNDATIONS, *attributes)
        self._cost = Cost()

    @property
    def cost(self) -> Cost:
        """What all calls so far took."""
        return self._cost

    def choose(
        self, probes: Sequence[Probe], target: AlignmentTarget | None = None, progress: bool = False
    ) -> list[NamedChoice]:
        """One choice a probe, in the order given.

        Args:
            probes: What to choose from.
            target: What the person wants, told in words; None asks for the best response (unaligned).
            progress: Show a bar where this takes more than about two seconds.
        """
        started = time.monotonic()
        instructions = choosing_instructions(target, self.defined)
        orders = [self._order(probe) for probe in probes]
        questions = [
            self._question(instructions, probe, order) for probe, order in zip(probes, orders, strict=True)
        ]
        replies = self.engine.ask(questions, progress)
        self._cost += cost_of(replies, time.monotonic() - started)
        return [self._read(*each) for each in zip(probes, orders, replies, strict=True)]

    def _order(self, probe: Probe) -> list[int]:
        """Places of the different responses, as letters show them."""
        count = len(distinct_texts(probe))
        return [int(i) for i in np.argsort(random_bits(self.seed, stable_hash(probe.key), np.arange(count)))]

    def _question(self, instructions: str, probe: Probe, order: Sequence[int]) -> Question:
        texts, letters = distinct_texts(probe), letters_for(len(order))
        return Question(
            instructions,
            (),
            under_letters(probe.prompt, [texts[i] for i in order], letters, self.max_chars),
            choice_schema(letters, self.max_reasoning),
            max_tokens=most_tokens(self.max_reasoning),
            seed=int(random_bits(self.seed, stable_hash(probe.key)) >> np.uint64(33)),
        )

    def _read(self, probe: Probe, order: Sequence[int], reply: Reply) -> NamedChoice:
        texts = distinct_texts(probe)
        problems = ("duplicate response",) * (len(probe.responses) - len(texts))
        if reply.problem or reply.text is None:
            return NamedChoice((), None, (*problems, reply.problem or "no answer"))
        letters = letters_for(len(order))
        letter, reasoning, wrong = read_choice(reply.text, letters, self.max_reasoning)
        if letter is None:
            return NamedChoice((), None, (*problems, *wrong))
        chosen = texts[order[letters.index(letter)]]
        places = tuple(i for i, response in enumerate(probe.responses) if plain(response) == chosen)
        return NamedChoice(places, reasoning, (*problems, *wrong))
