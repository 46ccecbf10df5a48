"""Length buckets: batches of texts of nearly one length, so that little is computed for padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


def length_buckets(lengths: Sequence[int] | NDArray[np.int64], batch_tokens: int) -> list[NDArray[np.int64]]:
    """Cut texts, sorted by length, into batches of at most `batch_tokens` tokens with padding.

    Args:
        lengths: Tokens of each text.
        batch_tokens: Most tokens in a batch, padding counted; a longer text is a batch of its own.

    Returns:
        Positions in `lengths`, one array a batch, each position once. Longest first: a batch that does not
        fit into memory fails at once, not after hours.
    """
    order = np.argsort(-np.asarray(lengths, np.int64), kind="stable")
    batches, start = [], 0
    while start < len(order):
        rows = max(1, batch_tokens // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + rows])
        start += rows
    return batches


def padded(
    rows: Sequence[NDArray[Any] | Sequence[int]], pad_id: int, side: Literal["left", "right"] = "right"
) -> tuple[Int[Tensor, "m l"], Int[Tensor, "m l"]]:
    """Token ids in one rectangle, and its mask: 1 where there is a token.

    To be read, rows are padded on the right: a causal backbone then gives each token the position it has
    alone, and one with bidirectional attention masks padding. To be continued, on the left.
    """
    ids = [torch.as_tensor(np.asarray(row, np.int64)) for row in rows]
    tokens = pad_sequence(ids, batch_first=True, padding_value=pad_id, padding_side=side)
    places, lengths = torch.arange(tokens.shape[1]), torch.tensor([len(row) for row in ids]).unsqueeze(-1)
    here = places < lengths if side == "right" else places >= tokens.shape[1] - lengths
    return tokens, here.long()
