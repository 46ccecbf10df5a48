"""`Writer`: answers to many people's prompts, each by the policy of its own person, written together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from fsa.errors import FsaError
from fsa.outputs.policy import Policy, PolicyPerson
from fsa.serve.people import Asked, People
from fsa.types import Text

UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what a tokenizer makes of half a character


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. Requests that agree in it share a batch.

    Attributes:
        temperature: 0 takes the likeliest token each time; larger is more random.
        top_p: Share of the probability that tokens are drawn from, 0-1.
    """

    temperature: float = 1.0
    top_p: float = 1.0

    @property
    def options(self) -> dict[str, Any]:
        """As transformers wants it."""
        if self.temperature == 0:
            return {"do_sample": False}
        return {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": 0}


@dataclass(frozen=True)
class ToWrite:
    """A prompt, and who is to be answered.

    Attributes:
        asked: The person.
        prompt: What to answer.
        max_tokens: Longest answer.
        sampling: How tokens are drawn.
        stop: Texts before which an answer ends.
        on_text: Is told each further piece of the answer, in the thread that writes.
    """

    asked: Asked
    prompt: Text
    max_tokens: int
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    on_text: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Written:
    """An answer.

    Attributes:
        text: What was written.
        num_prompt_tokens, num_tokens: Read and written.
        is_cut: Whether it ended because it was long enough.
    """

    text: str
    num_prompt_tokens: int
    num_tokens: int
    is_cut: bool


class Writer:
    """Writes batches; to be used by one thread.

    Args:
        policy: What writes.
        people: Who is meant.
    """

    def __init__(self, policy: Policy, people: People) -> None:
        self._policy, self._people = policy, people

    def write(self, items: Sequence[ToWrite]) -> list[Written | Exception]:
        """An answer to every item, or what keeps us from writing it."""
        people = self._people.of([item.asked for item in items])
        answers: list[Written | Exception | None] = [
            person if isinstance(person, FsaError) else None for person in people
        ]
        groups: dict[Sampling, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            if answers[place] is None:
                groups[item.sampling].append(place)
        for sampling, places in groups.items():
            written = self._together([people[i] for i in places], [items[i] for i in places], sampling)  # type: ignore[misc]
            for place, answer in zip(places, written, strict=True):
                answers[place] = answer
        return [answer if answer is not None else RuntimeError("not answered") for answer in answers]

    def _together(
        self, people: Sequence[PolicyPerson], items: Sequence[ToWrite], sampling: Sampling
    ) -> Sequence[Written | Exception]:
        # In the order that the policy itself would take them: rows of what is streamed are in it.
        order = sorted(range(len(items)), key=lambda i: len(str(items[i].prompt)))
        try:
            rows = self._rows([items[i] for i in order])
            self._policy.generate(
                [people[i] for i in order],
                [items[i].prompt for i in order],
                batch_size=len(items),
                max_new_tokens=max(item.max_tokens for item in items),
                streamer=_Rows(rows),
                **sampling.options,
            )
        except FsaError as error:
            return [error] * len(items)
        written = dict(zip(order, (row.end() for row in rows), strict=True))
        return [written[i] for i in range(len(items))]

    def _rows(self, items: Sequence[ToWrite]) -> list[_Row]:
        texts = self._policy.texts
        assert texts is not None, "a policy's scorer reads tokens"
        read = texts.prompts([item.prompt for item in items])[1].sum(1).tolist()
        return [_Row(item, texts.tokenizer, number) for item, number in zip(items, read, strict=True)]


@dataclass
class _Row:
    """One answer as it grows."""

    item: ToWrite
    tokenizer: Any
    num_prompt_tokens: int
    ids: list[int] = field(default_factory=list)
    told: int = 0  # characters that were passed on
    is_over: bool = False
    is_cut: bool = False

    def add(self, token: int) -> None:
        if self.is_over:
            return
        if token == self.tokenizer.eos_token_id:
            self.is_over = True
        else:
            self.ids.append(token)
            self.is_cut = len(self.ids) >= self.item.max_tokens
            self.is_over = self.is_cut or self._stop_at(self._decoded()) is not None
        self._tell(self.text())

    def end(self) -> Written:
        self.is_over = True
        self._tell(self.text())
        return Written(self.text(), self.num_prompt_tokens, len(self.ids), self.is_cut)

    def text(self) -> str:
        """What is written, less what may yet turn out to be something else."""
        whole = self._decoded()
        end = self._stop_at(whole)
        if end is not None:
            return whole[:end].strip()
        if self.is_over:
            return whole.strip()
        # The end of it may be half a character, space that is stripped, or the beginning of a stop text.
        safe = whole.rstrip(UNFINISHED).strip()
        held = max((_overlap(safe, stop) for stop in self.item.stop), default=0)
        return safe[: len(safe) - held].rstrip()

    def _decoded(self) -> str:
        return str(self.tokenizer.decode(self.ids, skip_special_tokens=True))

    def _stop_at(self, text: str) -> int | None:
        places = [text.find(stop) for stop in self.item.stop if stop in text]
        return min(places, default=None)

    def _tell(self, text: str) -> None:
        if self.item.on_text is not None and len(text) > self.told:
            self.item.on_text(text[self.told :])
            self.told = len(text)


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of a text that is a beginning of a stop text."""
    return next((n for n in range(min(len(stop), len(text)), 0, -1) if text.endswith(stop[:n])), 0)


class _Rows:
    """A streamer of transformers' for a batch: takes the tokens as they are written, one of every row."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows, self._has_prompts = rows, False

    def put(self, value: torch.Tensor) -> None:
        if not self._has_prompts:  # first come the prompts, padded
            self._has_prompts = True
            return
        for row, token in zip(self._rows, value.flatten().tolist(), strict=True):
            row.add(token)

    def end(self) -> None:
        """Nothing more to come."""
