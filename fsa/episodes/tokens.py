"""`ItemTokens`: the tokens of every item, and batches of them in blocks that are near in length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray

from fsa.errors import ConfigError, ShapeError
from fsa.types import TokenRows


@dataclass(frozen=True)
class ItemTokens:
    """Prompt and response of each item as tokens, one behind the other in flat columns.

    Axes: **m** items, **t** tokens of all.

    Attributes:
        ids: Token ids [t].
        offsets: Tokens of item i are offsets[i] to offsets[i + 1] [m + 1].
        start: Tokens that stand before each item's response, which is the rest [m].
        reference: Log-probability of each response under the reference, in nats; NaN where not asked for [m].
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    start: NDArray[np.int64]
    reference: NDArray[np.float32]

    def __post_init__(self) -> None:
        lengths = np.diff(self.offsets)
        if not len(self.start) == len(self.reference) == len(lengths) or self.offsets[-1] != len(self.ids):
            raise ShapeError(
                f"{len(self.ids)} tokens, ending at {self.offsets[-1]}, of {len(lengths)} items came with "
                f"{len(self.start)} starts of responses and {len(self.reference)} references"
            )
        if (self.start == lengths).all():
            return  # texts that are read whole
        wrong = np.flatnonzero(((self.start < 1) | (self.start >= lengths)) & (lengths > 0))
        if len(wrong):
            raise ShapeError(
                f"item {wrong[0]} has {lengths[wrong[0]]} tokens and its response starts at token "
                f"{self.start[wrong[0]]}; a response has a token, and one before it that predicts it"
            )

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def of(cls, ids: Sequence[NDArray[np.int64]], start: Sequence[int]) -> ItemTokens:
        """From the token ids and the start of the response of each item; none at all for one not used."""
        lengths = np.array([len(row) for row in ids], np.int64)
        return cls(
            ids=np.concatenate([np.zeros(0, np.int64), *ids]).astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            start=np.array(start, np.int64),
            reference=np.full(len(lengths), np.nan, np.float32),
        )

    @classmethod
    def whole(cls, ids: Sequence[NDArray[np.int64]]) -> ItemTokens:
        """Texts that are read and not written: no token counts as a response's."""
        return cls.of(ids, [len(row) for row in ids])

    def with_reference(self, reference: Float[np.ndarray, " m"]) -> ItemTokens:
        """The same tokens with log-probabilities of the responses under a reference, in nats."""
        return replace(self, reference=np.asarray(reference, np.float32))

    def rows(self, items: NDArray[np.integer], slots: NDArray[np.integer], num_blocks: int = 1) -> TokenRows:
        """Some items as tensors, shortest first, in blocks whose padding is the least that is possible.

        Args:
            items: Items, any of them any number of times [m].
            slots: Where each stands in its batch [m].
            num_blocks: Blocks, whatever the lengths: all processes of a run have to make equally many.

        Raises:
            ConfigError: There are fewer items than blocks.
            ShapeError: An item has no tokens.
        """
        lengths = (self.offsets[1:] - self.offsets[:-1])[items]
        if not lengths.all():
            raise ShapeError(f"item {items[lengths == 0][0]} has no tokens, but an episode asks for it")
        order = np.argsort(lengths, kind="stable")
        items, lengths = items[order], lengths[order]
        position = np.arange(lengths.max(initial=0))
        mask = position < lengths[:, None]  # [m, l]
        ids = self.ids[np.where(mask, self.offsets[items][:, None] + position, 0)]
        is_response = mask & (position >= self.start[items][:, None])
        ends = block_ends(lengths, num_blocks)
        starts = np.append(0, ends[:-1])
        counted = np.add.reduceat(lengths - self.start[items], starts)
        return TokenRows(
            ids=torch.from_numpy(ids.astype(np.int64)),
            mask=torch.from_numpy(mask),
            is_response=torch.from_numpy(is_response),
            slot=torch.from_numpy(slots[order].astype(np.int64)),
            reference=torch.from_numpy(self.reference[items]),
            blocks=tuple(zip(starts.tolist(), ends.tolist(), lengths[ends - 1].tolist(), strict=True)),
            num_response=tuple(counted.tolist()),
        )


def block_ends(lengths: NDArray[np.int64], num_blocks: int) -> NDArray[np.int64]:
    """Where to cut sorted rows so that the rectangles around the blocks hold the fewest tokens.

    Args:
        lengths: Tokens of each row, ascending [m].
        num_blocks: Blocks to make, of a row or more each.

    Returns:
        Row after the last of each block [num_blocks].

    Raises:
        ConfigError: There are fewer rows than blocks, or no block is asked for.
    """
    m = len(lengths)
    if not 1 <= num_blocks <= m:
        raise ConfigError(f"num_blocks is {num_blocks}, for a batch of {m} options; it is 1 to {m}")
    # No cut within rows of one length is ever needed, but there may be too few others: then even ones too.
    changes = np.append(np.flatnonzero(np.diff(lengths)) + 1, m)
    cuts = np.union1d(changes, np.arange(1, num_blocks + 1) * m // num_blocks)
    # tokens[i, j]: of the block from cut i to cut j; fewest[j]: of the best blocks that end at cut j.
    edges = np.append(0, cuts)
    tokens = (edges[None, :] - edges[:, None]) * np.append(0, lengths[cuts - 1]).astype(float)
    tokens[np.tril_indices(len(edges))] = np.inf
    fewest, previous = tokens[0], []
    for _ in range(num_blocks - 1):
        ways = fewest[:, None] + tokens
        previous.append(ways.argmin(0))
        fewest = ways.min(0)
    ends = [len(cuts)]
    for came_from in reversed(previous):
        ends.append(int(came_from[ends[-1]]))
    return edges[ends[::-1]]
