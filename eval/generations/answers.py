"""`Answers`: what one policy writes for people and prompts; what was asked before is not written again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import torch
from rich.console import Console

from fsa.errors import ConfigError
from fsa.outputs.policy import Policy, PolicyPerson
from fsa.types import Text

Person = PolicyPerson | None
"""Whose answers; None asks the reference."""


@dataclass(frozen=True)
class Writing:
    """How answers are written.

    Attributes:
        max_new_tokens: Longest answer, in tokens.
        do_sample: Draw answers at random; without, the likeliest token each time.
        temperature: Of drawing, > 0; larger is more random.
        samples: Answers for each person and prompt; more than one needs drawing.
        shared_samples: The same for answers that all people's are compared with, where answers are drawn.
            Their chance is shared, so that no number of people averages it out.
        batch_size: Prompts answered at once.
        seed: Seed of drawing.
    """

    max_new_tokens: int = 200
    do_sample: bool = False
    temperature: float = 1.0
    _: KW_ONLY
    samples: int = 1
    shared_samples: int = 32
    batch_size: int = 64
    seed: int = 1

    def __post_init__(self) -> None:
        if self.samples < 1 or (self.samples > 1 and not self.do_sample):
            raise ConfigError(
                f"samples is {self.samples}; it is 1 or more, and above 1 only with --do-sample true"
            )
        if self.temperature <= 0:
            raise ConfigError(f"temperature is {self.temperature}; it is above 0")

    @property
    def options(self) -> dict[str, Any]:
        """Options of transformers' `generate`."""
        chosen: dict[str, Any] = {"max_new_tokens": self.max_new_tokens, "do_sample": self.do_sample}
        # Whole distributions: a cut to the likeliest tokens would be another policy.
        return chosen | (
            {"temperature": self.temperature, "top_k": 0, "top_p": 1.0} if self.do_sample else {}
        )


class Answers:
    """Answers of one policy; one belief asked one prompt is answered once for all who hold it.

    Args:
        policy: What answers.
        writing: How.
        console: Where progress is shown; None shows none.
    """

    def __init__(self, policy: Policy, writing: Writing, console: Console | None = None) -> None:
        self.policy, self.writing, self.console = policy, writing, console
        self.written: dict[tuple[bytes, str, int], str] = {}

    def shared(self, person: Person, prompts: Sequence[Text], what: str = "") -> np.ndarray:
        """Answers that all people's are compared with [1, prompts, shared samples]."""
        how = self.writing
        return self.of([person], prompts, what, max(how.samples, how.shared_samples) if how.do_sample else 1)

    def of(
        self, people: Sequence[Person], prompts: Sequence[Text], what: str = "", samples: int | None = None
    ) -> np.ndarray:
        """Answers of all people to everything [people, prompts, samples].

        Args:
            people: Whose policies [p].
            prompts: What to answer [q].
            what: What it is for, to be shown beside the number of answers to write.
            samples: Answers of each to each; as many as `writing` says where None.
        """
        each = range(self.writing.samples if samples is None else samples)
        keys = [_key(person) for person in people]
        named = [repr(prompt) for prompt in prompts]
        wanted = {
            (key, name, sample): (person, prompt)
            for key, person in zip(keys, people, strict=True)
            for name, prompt in zip(named, prompts, strict=True)
            for sample in each
        }
        self._write({asked: of for asked, of in wanted.items() if asked not in self.written}, what)
        found = [self.written[key, name, sample] for key in keys for name in named for sample in each]
        return np.array(found, object).reshape(len(people), len(prompts), len(each))

    def _write(self, asked: dict[tuple[bytes, str, int], tuple[Person, Text]], what: str) -> None:
        if not asked:
            return
        if self.console:
            self.console.print(f"{what}: {len(asked):,} answers to write")
        people, prompts = zip(*asked.values(), strict=True)
        with torch.random.fork_rng():
            torch.manual_seed(self.writing.seed)
            texts = self.policy.generate(
                people,
                prompts,
                batch_size=self.writing.batch_size,
                progress=self.console is not None,
                **self.writing.options,
            )
        self.written.update(zip(asked, texts, strict=True))


def _key(person: Person) -> bytes:
    """A person's latent to six decimals: company in a batch changes only what lies behind them."""
    if person is None:
        return b"reference"
    return np.round(person.belief.mean[0].double().cpu().numpy(), 6).tobytes()
