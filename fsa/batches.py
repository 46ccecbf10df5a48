"""Choices and episodes of many users as tensors; the axes' letters are those of `fsa.types`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


class TensorRecord:
    """Moves a dataclass of tensors; Lightning asks a frozen batch for `to`."""

    def to(self, *args: Any, **kwargs: Any) -> Self:
        return self._map(lambda part: part.to(*args, **kwargs))

    def pin_memory(self) -> Self:
        return self._map(lambda part: part.pin_memory())

    def of_user(self, user: int) -> Self:
        """What is of one user of the batch; users come first in every part."""
        one = slice(user, user + 1)
        return self._map(lambda part: part.of_user(user) if isinstance(part, TensorRecord) else part[one])

    @classmethod
    def of_users(cls, parts: Sequence[Self]) -> Self:
        """Users of several batches in one; all of these have the same parts."""
        columns = {f.name: [getattr(part, f.name) for part in parts] for f in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: _joined(each) for name, each in columns.items()})

    def _map(self, move: Any) -> Self:
        parts = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        movable = Tensor | TensorRecord
        return type(self)(
            **{name: move(part) if isinstance(part, movable) else part for name, part in parts.items()}
        )


def _joined(parts: Sequence[Any]) -> Any:
    """One part of several records, one after the other; None where they have none."""
    if parts[0] is None:
        return None
    return type(parts[0]).of_users(parts) if isinstance(parts[0], TensorRecord) else torch.cat(list(parts))


@dataclass(frozen=True)
class TokenRows(TensorRecord):
    """Options of a batch as tokens: one row an option, shortest first, padded on the right.

    Axes: **m** options that are there, **l** tokens.

    Attributes:
        ids: Token ids; anything where `mask` is False.
        mask: True where there is a token.
        is_response: True where the token is the response's own, its end included: what log-probs count.
        slot: Where each row's option stands in [b n k], flattened.
        reference: Log-probability of each response under the reference, in nats; NaN where not asked for.
        blocks: (first row, row after the last, tokens) of runs of rows that are near in length. A model takes
            one at a time, cut to its tokens, and so computes little padding. As many as the collator was told
            to make, whatever the lengths: processes that split parameters have to run equally often.
        num_response: Response tokens of each block, so that a GPU need not be asked; None where not counted.
    """

    ids: Int[Tensor, "m l"]
    mask: Bool[Tensor, "m l"]
    is_response: Bool[Tensor, "m l"]
    slot: Int[Tensor, " m"]
    reference: Float[Tensor, " m"]
    blocks: tuple[tuple[int, int, int], ...]
    num_response: tuple[int, ...] | None = None

    def each_block(self) -> Iterator[tuple[int, int, TokenRows]]:
        """First row, row after the last, and the rows between as rows of one block, for every block."""
        for number, (first, last, length) in enumerate(self.blocks):
            yield (
                first,
                last,
                TokenRows(
                    ids=self.ids[first:last, :length],
                    mask=self.mask[first:last, :length],
                    is_response=self.is_response[first:last, :length],
                    slot=self.slot[first:last],
                    reference=self.reference[first:last],
                    blocks=((0, last - first, length),),
                    num_response=self.num_response and self.num_response[number : number + 1],
                ),
            )


@dataclass(frozen=True)
class Repeats(TensorRecord):
    """Which options of a batch have the same features.

    Attributes:
        first: Where an option of each kind stands in [b n k], flattened [u].
        which: The kind of every option, 0 to u - 1.
    """

    first: Int[Tensor, " u"]
    which: Int[Tensor, "b n k"]


@dataclass(frozen=True)
class ChoiceBatch(TensorRecord):
    """Choices of many users as tensors, padded to the largest number of choices and options in the batch.

    Attributes:
        features: One vector an option; anything where `places` is -1.
        places: 0 for the best option, larger for worse, equal for options not told apart, -1 for padding.
        rows: Row of each choice in its table, -1 for padding. For reports; models do not read it.
        tokens: The options as tokens, for scorers that run a language model; None where not asked for.
        repeats: Which options are the same, so that each is read once; None where not counted.
        weight: How much each choice counts, 0-1, for encoders that weigh them (see `ContextEncoder`); None
            where all count alike.
    """

    features: Float[Tensor, "b n k d"]
    places: Int[Tensor, "b n k"]
    rows: Int[Tensor, "b n"]
    tokens: TokenRows | None = None
    repeats: Repeats | None = None
    weight: Float[Tensor, "b n"] | None = None

    @property
    def mask(self) -> Bool[Tensor, "b n"]:
        """True where there is a choice."""
        return self.rows >= 0

    @property
    def option_mask(self) -> Bool[Tensor, "b n k"]:
        """True where there is an option."""
        return self.places >= 0

    def contrast(self) -> Float[Tensor, "b n k"]:
        """Weights that turn a choice's options into one difference, better minus worse.

        A pair gives +1 and -1; a pick among k gives +1 to the chosen and -1/(k-1) to each other; a ranking
        weighs an option by how many it beats less how many beat it. Positive weights sum to 1, negative to
        -1; padding and complete ties give zeros.
        """
        mine, other = self.places.unsqueeze(-1), self.places.unsqueeze(-2)
        told_apart = self.option_mask.unsqueeze(-1) & self.option_mask.unsqueeze(-2)
        net = torch.where(told_apart, torch.sign(other - mine), 0).sum(-1).to(self.features.dtype)
        return net / net.clamp(min=0).sum(-1, keepdim=True).clamp(min=1e-9)

    def difference(self) -> Float[Tensor, "b n d"]:
        """Features of what was preferred less those of what it was preferred to, weighed by `contrast`.

        Zeros for padding and complete ties.
        """
        features = torch.where(self.option_mask.unsqueeze(-1), self.features, 0)
        return torch.einsum("bnkd,bnk->bnd", features, self.contrast())

    def reversed(self) -> ChoiceBatch:
        """The same options with the opposite outcome: for each choice the worst place becomes the best."""
        worst = self.places.amax(-1, keepdim=True)
        return replace(self, places=torch.where(self.option_mask, worst - self.places, -1))

    def of_user(self, user: int) -> ChoiceBatch:
        """The choices of one user of the batch, padded as they are; without tokens."""
        return super(ChoiceBatch, replace(self, tokens=None, repeats=None)).of_user(user)

    @classmethod
    def of_users(cls, parts: Sequence[ChoiceBatch]) -> ChoiceBatch:
        """Users of several batches in one, padded to the most choices and options of any; without tokens."""
        sizes = [part.places.shape[1:] for part in parts]
        n, k = max(size[0] for size in sizes), max(size[1] for size in sizes)
        return super().of_users([_padded(part, n, k) for part in parts])


@dataclass(frozen=True)
class EpisodeBatch(TensorRecord):
    """Episodes as tensors: one row a user, its context and its target.

    Attributes:
        index: Number of the episode in the whole run; with the seed it decides everything random about it.
        user: Row of the user in the table. For reports; models do not read it.
        context: What the encoder reads.
        target: What is to be predicted.
        kept: Answers of the reference that a policy should go on to give, one a user, in its slot; None
            where not asked for.
    """

    index: Int[Tensor, " b"]
    user: Int[Tensor, " b"]
    context: ChoiceBatch
    target: ChoiceBatch
    kept: TokenRows | None = None

    @property
    def everything(self) -> ChoiceBatch:
        """Context and target together: what a posterior over the user may read in training."""
        options = max(self.context.places.shape[2], self.target.places.shape[2])
        parts = [_padded(part, part.places.shape[1], options) for part in (self.context, self.target)]
        return ChoiceBatch(
            torch.cat([part.features for part in parts], 1),
            torch.cat([part.places for part in parts], 1),
            torch.cat([part.rows for part in parts], 1),
        )


def _padded(choices: ChoiceBatch, n: int, k: int) -> ChoiceBatch:
    """The same choices among n choices of k options each; without tokens."""
    more_n, more_k = n - choices.places.shape[1], k - choices.places.shape[2]
    if not more_n and not more_k:
        return replace(choices, tokens=None, repeats=None)
    return ChoiceBatch(
        functional.pad(choices.features, (0, 0, 0, more_k, 0, more_n)),
        functional.pad(choices.places, (0, more_k, 0, more_n), value=-1),
        functional.pad(choices.rows, (0, more_n), value=-1),
        weight=None if choices.weight is None else functional.pad(choices.weight, (0, more_n)),
    )
