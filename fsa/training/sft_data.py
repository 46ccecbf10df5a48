"""`SequenceData`: token sequences in batches of nearly one length, the same for any number of processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fsa.features.buckets import length_buckets, padded
from fsa.seeding import random_bits
from fsa.settings import setting, settings
from fsa.training.datamodule import RunData

_ROWS, _TURNS = 104, 105  # what the numbers are for; see fsa.training.noise
_WINDOW = 4096  # sequences that are sorted by length together; more make batches alike in what they hold


@settings
class SequenceSettings:
    """How token sequences are batched."""

    batch_tokens: int = setting(
        default=4096,
        doc="Tokens of an optimiser step, padding counted, over all processes and accumulated batches.",
        at_least=1,
    )
    max_tokens: int = setting(
        default=512,
        doc="Most tokens of a sequence; longer ones are cut, the prompt from the left.",
        at_least=1,
    )
    count_prompt: bool = setting(
        default=False, doc="Learn to write prompts as well; right for a model that has never read anything."
    )
    validation_rows: int = setting(
        default=1000, doc="Most sequences that a validation reads; the same each time.", at_least=1
    )
    num_workers: int = setting(
        default=0, doc="Processes that prepare batches beside the training process.", at_least=0, at_most=1024
    )


class SequenceBatch(NamedTuple):
    """Sequences of nearly one length, padded on the right.

    Attributes:
        ids: Token ids; any where a row has ended: a causal model reads them last.
        counts: True where a token's log-likelihood counts.
        weight: What the sum over counted tokens is multiplied by, so that gradients, averaged over processes
            and accumulated batches, are those of the mean over the whole step's tokens.
    """

    ids: Int[Tensor, "m l"]
    counts: Bool[Tensor, "m l"]
    weight: Float[Tensor, ""]


class TokenSequences(NamedTuple):
    """Sequences to learn from.

    Attributes:
        ids: Token ids of each.
        starts: Where the response of each begins; it runs to the end.
    """

    ids: Sequence[NDArray[np.int64]]
    starts: Sequence[int]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each."""
        return np.array([len(row) for row in self.ids], np.int64)


class SequenceData(RunData):
    """Gives the trainer its batches; training starts at the step that the trainer stands at.

    Every epoch reads each sequence once, in an order that comes from (seed, epoch) alone.

    Args:
        train: Sequences to train on.
        validation: Sequences to validate with; loss is of their responses, whatever training counts.
        settings: How they are batched.
        seed: Seed of the order.
        pad_id: Token that stands where there is none.
    """

    def __init__(
        self,
        train: TokenSequences,
        validation: TokenSequences,
        settings: SequenceSettings,
        seed: int = 0,
        pad_id: int = 0,
    ) -> None:
        super().__init__()
        self.train, self.validation = train, validation
        self.settings, self.seed, self.pad_id = settings, seed, pad_id

    def train_dataloader(self) -> DataLoader[SequenceBatch]:
        accumulated = self._trainer.accumulate_grad_batches
        order = Epochs(self.train.lengths, self.settings.batch_tokens, self.seed)
        shares = _Shares(
            self.train, order, self.settings.count_prompt, accumulated, *self._process, self.pad_id
        )
        return self._training(shares, self.settings.num_workers)

    def val_dataloader(self) -> DataLoader[SequenceBatch]:
        rows = np.argsort(random_bits(0, _ROWS, np.arange(len(self.validation.ids))))
        rows = rows[: self.settings.validation_rows]
        batches = length_buckets(self.validation.lengths[rows], self.settings.batch_tokens)
        order = [rows[batch] for batch in batches]
        return self._loader(_Shares(self.validation, order, False, 1, *self._process, self.pad_id))

    @property
    def _process(self) -> tuple[int, int]:
        return self._trainer.global_rank, self._trainer.world_size


class Epochs(Sequence[NDArray[np.int64]]):
    """Rows of each batch of a run without end: epoch after epoch, each in its own order.

    Looking forward is cheap, looking back starts from the first epoch.

    Args:
        lengths: Tokens of each row.
        batch_tokens: Most tokens of a batch, padding counted; a longer row is a batch of its own.
        seed: Seed of the orders.
    """

    def __init__(self, lengths: NDArray[np.int64], batch_tokens: int, seed: int) -> None:
        self.lengths, self.batch_tokens, self.seed = lengths, batch_tokens, seed
        self._epoch, self._first = 0, 0
        self._batches = self.batches(0)

    def __getitem__(self, number: Any) -> Any:
        if number < self._first:
            self._epoch, self._first, self._batches = 0, 0, self.batches(0)
        while number >= self._first + len(self._batches):
            self._first += len(self._batches)
            self._epoch += 1
            self._batches = self.batches(self._epoch)
        return self._batches[number - self._first]

    def __len__(self) -> int:
        """Batches of the first epoch; later ones may have a few more or less."""
        return len(self.batches(0))

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Batches of one epoch: rows of nearly one length stand together, batches in random order."""
        rows = np.argsort(random_bits(self.seed, _ROWS, epoch, np.arange(len(self.lengths))))
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(rows), _WINDOW):
            window = rows[start : start + _WINDOW]
            batches += [window[batch] for batch in length_buckets(self.lengths[window], self.batch_tokens)]
        turns = np.argsort(random_bits(self.seed, _TURNS, epoch, np.arange(len(batches))))
        return [batches[turn] for turn in turns]


class _Shares(Dataset[SequenceBatch]):
    """The part of every batch that falls to one process and one accumulated batch of a step."""

    def __init__(
        self,
        sequences: TokenSequences,
        order: Sequence[NDArray[np.int64]],
        count_prompt: bool,
        accumulated: int,
        rank: int,
        processes: int,
        pad_id: int,
    ) -> None:
        self.sequences, self.order, self.count_prompt = sequences, order, count_prompt
        self.accumulated, self.rank, self.processes, self.pad_id = accumulated, rank, processes, pad_id

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> SequenceBatch:
        step, part = divmod(number, self.accumulated)
        rows, shares = self.order[step], self.accumulated * self.processes
        mine = rows[part * self.processes + self.rank :: shares]
        total = sum(int(self._counts(row).sum()) for row in rows)
        weight = shares / max(total, 1)
        if not len(mine):  # every process takes part in every step, if only with a row that weighs nothing
            mine, weight = rows[:1], 0.0
        ids, _ = padded([self.sequences.ids[row] for row in mine], self.pad_id)
        counts, _ = padded([self._counts(row) for row in mine], 0)
        return SequenceBatch(ids, counts.bool(), torch.tensor(weight, dtype=torch.float32))

    def _counts(self, row: int) -> NDArray[np.bool_]:
        """Which tokens of a row count; nothing predicts the first."""
        place = np.arange(len(self.sequences.ids[row]))
        return place >= (1 if self.count_prompt else max(1, self.sequences.starts[row]))
