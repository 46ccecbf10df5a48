"""`EpisodeBatches`: episodes as batches of tensors, one batch an item."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from fsa.choices.table import ChoiceTable
from fsa.episodes.sampler import EpisodeRows, EpisodeSampler
from fsa.episodes.tokens import ItemTokens
from fsa.types import ChoiceBatch, EpisodeBatch, Repeats

_STEPS_AT_ONCE = 32
"""Steps whose episodes are drawn and looked up together while the steps before them run, in half the time
of one by one. Which episodes come does not depend on it."""


class EpisodeBatches(Dataset[EpisodeBatch]):
    """Batch t holds episodes t * users_per_step to (t + 1) * users_per_step - 1 of the run.

    Of several processes each takes an equal run of them, so that all processes together see what one would.

    Args:
        sampler: Draws the episodes.
        features: One vector an item [m, d].
        users_per_step: Episodes in a batch, over all processes.
        rank: Number of this process.
        world_size: Number of processes; has to divide `users_per_step`.
        num_batches: Length; None counts without end.
        tokens: Tokens of every item, for models that run a language model on the targets.
        num_blocks: Blocks of rows near in length that the tokens of a batch come in; see `ItemTokens.rows`.
        kept: Answers that a policy should go on to give: episode after episode takes the next of them.
    """

    def __init__(
        self,
        sampler: EpisodeSampler,
        features: Float[Tensor, "m d"],
        users_per_step: int,
        rank: int = 0,
        world_size: int = 1,
        num_batches: int | None = None,
        tokens: ItemTokens | None = None,
        num_blocks: int = 1,
        kept: ItemTokens | None = None,
    ) -> None:
        if users_per_step % world_size:
            raise ValueError(
                f"users_per_step is {users_per_step}, which {world_size} processes cannot share equally"
            )
        self.sampler, self.features = sampler, features
        self.users_per_step, self.num_batches = users_per_step, num_batches
        self.tokens, self.num_blocks, self.kept = tokens, num_blocks, kept
        self.share = users_per_step // world_size
        self.first = rank * self.share
        self._thread: ThreadPoolExecutor | None = None
        self._drawn: dict[int, Future[list[_Drawn]]] = {}  # by block: this one and the next

    def __len__(self) -> int:
        if self.num_batches is None:
            raise TypeError("these batches have no end")
        return self.num_batches

    def __getitem__(self, step: int) -> EpisodeBatch:
        block, place = divmod(step, _STEPS_AT_ONCE)
        if block not in self._drawn or block + 1 not in self._drawn:
            # Made here and not before: a process that prepares batches has to make its own thread.
            self._thread = self._thread or ThreadPoolExecutor(max_workers=1)
            self._drawn = {
                near: self._drawn.get(near) or self._thread.submit(self._draw, near)
                for near in (block, block + 1)
            }
        batch = self._drawn[block].result()[place].batch(self.features, self.tokens, self.num_blocks)
        if self.kept is None:
            return batch
        numbers = batch.index.numpy() % len(self.kept)
        return replace(batch, kept=self.kept.rows(numbers, np.arange(len(numbers))))

    def _draw(self, block: int) -> list[_Drawn]:
        steps = block * _STEPS_AT_ONCE + np.arange(_STEPS_AT_ONCE)[:, None]
        numbers = steps * self.users_per_step + self.first + np.arange(self.share)
        drawn = self.sampler.draw(numbers.reshape(-1)).split(_STEPS_AT_ONCE)
        return [_Drawn.of(rows, self.sampler.table) for rows in drawn]


class _Offered(NamedTuple):
    """Some choices [b, n] with their options [b, n, k], as numbers of items.

    Attributes:
        rows: Of the table, -1 for padding.
        option: Item of each option, 0 for padding.
        place: Place of each option, -1 for padding.
        first, which: Places of the different items, and which of them each option is.
    """

    rows: NDArray[np.int64]
    option: NDArray[np.integer]
    place: NDArray[np.int64]
    first: NDArray[np.int64]
    which: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.int64], table: ChoiceTable) -> _Offered:
        option, place = _options(np.maximum(rows, 0), table)
        place = np.where((rows < 0)[..., None], -1, place).astype(np.int64)
        _, first, which = np.unique(option, return_index=True, return_inverse=True)
        return cls(rows.copy(), option, np.asarray(place), first, which.reshape(option.shape))

    def batch(
        self, features: Float[Tensor, "m d"], tokens: ItemTokens | None = None, num_blocks: int = 1
    ) -> ChoiceBatch:
        in_words = None
        if tokens is not None:
            slots = np.flatnonzero(self.place >= 0)
            in_words = tokens.rows(self.option.reshape(-1)[slots], slots, num_blocks)
        return ChoiceBatch(
            # numpy's look-up reuses memory, where torch's asks the system for new pages each time.
            torch.from_numpy(features.numpy().take(self.option, 0)),
            torch.from_numpy(self.place),
            torch.from_numpy(self.rows),
            in_words,
            Repeats(torch.from_numpy(self.first), torch.from_numpy(self.which)),
        )


class _Drawn(NamedTuple):
    """Episodes with what their choices offer: all of a batch that needs no features."""

    rows: EpisodeRows
    context: _Offered
    target: _Offered

    @classmethod
    def of(cls, rows: EpisodeRows, table: ChoiceTable) -> _Drawn:
        return cls(rows, _Offered.of(rows.context, table), _Offered.of(rows.target, table))

    def batch(
        self, features: Float[Tensor, "m d"], tokens: ItemTokens | None, num_blocks: int
    ) -> EpisodeBatch:
        return EpisodeBatch(
            index=torch.from_numpy(self.rows.index),
            user=torch.from_numpy(self.rows.user),
            context=self.context.batch(features),
            target=self.target.batch(features, tokens, num_blocks),
        )


def collate(
    rows: EpisodeRows,
    table: ChoiceTable,
    features: Float[Tensor, "m d"],
    tokens: ItemTokens | None = None,
    num_blocks: int = 1,
) -> EpisodeBatch:
    """Tensors of some episodes, padded to the largest of them; the targets with tokens, where given."""
    return _Drawn.of(rows, table).batch(features, tokens, num_blocks)


def collate_choices(
    rows: NDArray[np.int64],
    table: ChoiceTable,
    features: Float[Tensor, "m d"],
    tokens: ItemTokens | None = None,
    num_blocks: int = 1,
) -> ChoiceBatch:
    """Tensors of some choices [b, n], -1 for padding."""
    return _Offered.of(rows, table).batch(features, tokens, num_blocks)


def _options(rows: NDArray[np.int64], table: ChoiceTable) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Items and places of the options of some choices [b, n, k], item 0 and place -1 for padding."""
    if table.offers_equally_many:  # two look-ups in views of the columns
        k = int(table.num_options[0])
        return table.option.reshape(-1, k).take(rows, 0), table.place.reshape(-1, k).take(rows, 0)
    sizes = table.num_options[rows]
    slot = np.arange(max(int(sizes.max(initial=0)), 2))
    is_option = slot < sizes[..., None]
    option = np.where(is_option, table.option_offsets[rows][..., None] + slot, 0)
    return np.where(is_option, table.option[option], 0), np.where(is_option, table.place[option], -1)
