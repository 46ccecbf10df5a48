"""`AnswerWriter`: answers of one policy to people and prompts, each written once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from fsa.errors import ConfigError
from fsa.outputs.policy import Policy, PolicyPerson
from fsa.recipes.line_log import LineLog
from fsa.seeding import stable_hash
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


class AnswerWriter:
    """Writes answers of one policy; one belief asked one prompt is answered once for all who hold it.

    Args:
        policy: What answers.
        writing: How.
        console: Where progress is shown; None shows none.
        log: Keeps answers as they come, and knows those of a run that was cut off; None keeps none.
    """

    def __init__(
        self,
        policy: Policy,
        writing: Writing,
        console: Console | None = None,
        log: LineLog | None = None,
    ) -> None:
        self.policy, self.writing, self.console, self.log = policy, writing, console, log
        kept = log.lines if log else []
        self.written: dict[tuple[str, str, int], str] = {
            (line["person"], line["prompt"], line["sample"]): line["answer"] for line in kept
        }

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

    def _write(self, asked: dict[tuple[str, str, int], tuple[Person, Text]], what: str) -> None:
        # A batch is of the reference alone or of people, and of prompts near in length.
        keys = sorted(asked, key=lambda key: (key[0] == REFERENCE, len(key[1])))
        size = self.writing.batch_size
        starts = range(0, len(keys), size)
        title = f"{what}: {len(keys):,} answers"
        for start in track(starts, title, console=self.console, disable=not self.console or not keys):
            batch = keys[start : start + size]
            people, prompts = zip(*(asked[key] for key in batch), strict=True)
            with torch.random.fork_rng():
                torch.manual_seed(self.writing.seed ^ stable_hash(repr(batch)) >> 1)
                texts = self.policy.generate(
                    people, prompts, batch_size=size, progress=False, **self.writing.options
                )
            self.written.update(zip(batch, texts, strict=True))
            if self.log:
                named = zip(batch, texts, strict=True)
                self.log.append(
                    [{"person": k[0], "prompt": k[1], "sample": k[2], "answer": text} for k, text in named]
                )


def log_of(path: Path, run: Path, writing: Writing, strength: float = 1.0) -> LineLog:
    """Where a run's answers are kept; other weights, strengths and ways of writing are refused."""
    weights = run / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes() if weights.exists() else b"").hexdigest()
    scaled = {} if strength == 1 else {"strength": strength}  # answers kept before there was one stay good
    return LineLog(path, {"weights": digest, "writing": asdict(writing), **scaled})


REFERENCE = "reference"


def _key(person: Person) -> str:
    """A person's latent to six decimals: company in a batch changes only what lies behind them."""
    if person is None:
        return REFERENCE
    return np.round(person.belief.mean[0].double().cpu().numpy(), 6).tobytes().hex()
