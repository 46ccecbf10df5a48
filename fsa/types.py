"""The nouns that pass between rooms, and the legend of axes.

Axes: **b** users (one episode each), **n** choices, **k** options, **s** latent samples, **z** latent,
**d** feature, **p** parameters per option, **l** tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from fsa.errors import ConfigError, EpisodeError, ShapeError
from fsa.outcomes import Outcome as Outcome
from fsa.outcomes import Pick as Pick
from fsa.outcomes import Ranking as Ranking
from fsa.outcomes import Tie as Tie
from fsa.outcomes import outcome_of as outcome_of
from fsa.outcomes import reversed_places as reversed_places

Messages: TypeAlias = tuple[Mapping[str, str], ...]
"""A chat: `{"role": ..., "content": ...}` mappings in order."""
Text: TypeAlias = str | Messages
Numbers: TypeAlias = tuple[float, ...]
"""An option that is no text: its features, passed through as they are."""


@dataclass(frozen=True)
class Choice:
    """What one user said about responses to one prompt.

    Attributes:
        user: Who chose.
        prompt: What the options respond to; "" where there is no prompt.
        options: Two or more responses, all text or all numbers of one length.
        outcome: What was said of them.
        group: To slice reports by. Features drop it, so no model can see it.
        split: The split that the record asks for, or "".
    """

    user: str
    prompt: Text
    options: tuple[Text, ...] | tuple[Numbers, ...]
    outcome: Outcome
    group: str = ""
    split: str = ""

    def reversed(self) -> Choice:
        """The same options with the opposite outcome; a pick among more than two becomes "anything but"."""
        places = self.outcome.places(len(self.options))
        return Choice(
            self.user, self.prompt, self.options, outcome_of(reversed_places(places)), self.group, self.split
        )


@dataclass(frozen=True)
class Episode:
    """What may be seen of a user (context) and what must be predicted (target).

    Raises:
        EpisodeError: The target is empty, or context and target share a prompt; where the user has a single
            prompt, where they share a response.
    """

    context: tuple[Choice, ...]
    target: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not self.target:
            raise EpisodeError("target is empty; an episode predicts at least one choice")
        # By repr, because the messages of a chat have no hash.
        seen = {repr(choice.prompt) for choice in self.context}
        if len(seen | {repr(choice.prompt) for choice in self.target}) == 1:
            responses = {repr(response) for choice in self.context for response in choice.options}
            shared = responses & {repr(response) for choice in self.target for response in choice.options}
            if shared:
                raise EpisodeError(f"context and target share the response {min(shared)}")
            return
        for choice in self.target:
            if repr(choice.prompt) in seen:
                raise EpisodeError(f"context and target share the prompt {choice.prompt!r}")


_Batch = TypeVar("_Batch", bound="_TensorRecord")


class _TensorRecord:
    """Moves a dataclass of tensors; Lightning asks a frozen batch for `to`."""

    def to(self: _Batch, *args: Any, **kwargs: Any) -> _Batch:
        return self._map(lambda part: part.to(*args, **kwargs))

    def pin_memory(self: _Batch) -> _Batch:
        return self._map(lambda part: part.pin_memory())

    def _map(self: _Batch, move: Any) -> _Batch:
        parts = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        movable = Tensor | _TensorRecord
        return type(self)(
            **{name: move(part) if isinstance(part, movable) else part for name, part in parts.items()}
        )


@dataclass(frozen=True)
class TokenRows(_TensorRecord):
    """Options of a batch as tokens: one row an option, shortest first, padded on the right.

    Axes: **m** options that are there, **l** tokens.

    Attributes:
        ids: Token ids; anything where `mask` is False.
        mask: True where there is a token.
        is_response: True where the token is the response's own, its end included: what log-probs count.
        slot: Where each row's option stands in [b n k], flattened.
        reference: Log-probability of each response under the reference, in nats; NaN where nobody asked.
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
class Repeats(_TensorRecord):
    """Which options of a batch have the same features.

    Attributes:
        first: Where an option of each kind stands in [b n k], flattened [u].
        which: The kind of every option, 0 to u - 1.
    """

    first: Int[Tensor, " u"]
    which: Int[Tensor, "b n k"]


@dataclass(frozen=True)
class ChoiceBatch(_TensorRecord):
    """Choices of many users as tensors, padded to the largest number of choices and options in the batch.

    Attributes:
        features: One vector an option; anything where `places` is -1.
        places: 0 for the best option, larger for worse, equal for options not told apart, -1 for padding.
        rows: Row of each choice in its table, -1 for padding. For reports; models do not read it.
        tokens: The options as tokens, for scorers that run a language model; None where nobody asked.
        repeats: Which options are the same, so that each is read once; None where nobody counted.
    """

    features: Float[Tensor, "b n k d"]
    places: Int[Tensor, "b n k"]
    rows: Int[Tensor, "b n"]
    tokens: TokenRows | None = None
    repeats: Repeats | None = None

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
        one = slice(user, user + 1)
        return ChoiceBatch(self.features[one], self.places[one], self.rows[one])

    @staticmethod
    def of_users(parts: Sequence[ChoiceBatch]) -> ChoiceBatch:
        """Users of several batches in one, padded to the most choices and options of any; without tokens."""
        sizes = [part.places.shape[1:] for part in parts]
        n, k = max(size[0] for size in sizes), max(size[1] for size in sizes)
        padded = [_padded(part, n, k) for part in parts]
        return ChoiceBatch(
            torch.cat([part.features for part in padded]),
            torch.cat([part.places for part in padded]),
            torch.cat([part.rows for part in padded]),
        )


@dataclass(frozen=True)
class EpisodeBatch(_TensorRecord):
    """Episodes as tensors: one row a user, its context and its target.

    Attributes:
        index: Number of the episode in the whole run; with the seed it decides everything random about it.
        user: Row of the user in the table. For reports; models do not read it.
    """

    index: Int[Tensor, " b"]
    user: Int[Tensor, " b"]
    context: ChoiceBatch
    target: ChoiceBatch

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
        return choices
    return ChoiceBatch(
        functional.pad(choices.features, (0, 0, 0, more_k, 0, more_n)),
        functional.pad(choices.places, (0, more_k, 0, more_n), value=-1),
        functional.pad(choices.rows, (0, more_n), value=-1),
    )


@dataclass(frozen=True)
class Belief(_TensorRecord):
    """What is believed about each user: a Gaussian whose spread may be zero (a point).

    Attributes:
        mean: Centre of the belief.
        std: Spread, >= 0; all zeros make it a point.
        factor: A matrix F of each user's covariance F F', where it is not diagonal; None where it is.
        memory: The choices themselves, for scorers that read them (`Scorer.reads_memory`); None where the
            encoder kept nothing but the belief.
    """

    mean: Float[Tensor, "b z"]
    std: Float[Tensor, "b z"]
    memory: ChoiceBatch | None = None
    factor: Float[Tensor, "b z z"] | None = None

    def __post_init__(self) -> None:
        if self.mean.shape != self.std.shape:
            raise ShapeError(f"belief has mean {list(self.mean.shape)} but std {list(self.std.shape)}")

    @classmethod
    def point(cls, mean: Float[Tensor, "b z"]) -> Belief:
        """A belief without doubt."""
        return cls(mean, torch.zeros_like(mean))

    @classmethod
    def of_factor(cls, mean: Float[Tensor, "b z"], factor: Float[Tensor, "b z z"]) -> Belief:
        """A Gaussian of covariance F F'."""
        return cls(mean, factor.square().sum(-1).sqrt(), factor=factor)

    @staticmethod
    def of_users(parts: Sequence[Belief]) -> Belief:
        """Beliefs about the users of several batches in one."""
        memories = [part.memory for part in parts if part.memory is not None]
        return Belief(
            torch.cat([part.mean for part in parts]),
            torch.cat([part.std for part in parts]),
            ChoiceBatch.of_users(memories) if memories else None,
            torch.cat([part.factor for part in parts if part.factor is not None])
            if parts[0].factor is not None
            else None,
        )

    def of_user(self, user: int) -> Belief:
        """The belief about one user of the batch."""
        one = slice(user, user + 1)
        factor = None if self.factor is None else self.factor[one]
        return Belief(self.mean[one], self.std[one], self.memory and self.memory.of_user(user), factor)

    def std_along(self, direction: Float[Tensor, "*rows z"]) -> Float[Tensor, "*rows"]:
        """Standard deviation of z . direction under each user's belief; users come first."""
        if self.factor is None:
            scaled = torch.einsum("b...z,bz->b...z", direction, self.std)
        else:
            scaled = torch.einsum("b...z,bzy->b...y", direction, self.factor)
        square = scaled.square().sum(-1)
        # A root has no gradient at 0.
        return torch.where(square > 0, square.clamp(min=torch.finfo(square.dtype).tiny).sqrt(), 0)

    def sample(self, noise: Float[Tensor, "s b z"]) -> Float[Tensor, "s b z"]:
        """Latents drawn from the belief: mean + std * noise, or mean + F noise where there is a factor F.

        Differentiable in mean and spread; a point gives its mean.

        Args:
            noise: Standard normal numbers.
        """
        noise = noise.to(self.mean.dtype)
        if self.factor is not None:
            return self.mean + torch.einsum("bzy,sby->sbz", self.factor, noise.expand(-1, len(self.mean), -1))
        return self.mean + self.std * noise

    def kl_to(self, other: Belief) -> Float[Tensor, " b"]:
        """KL(self || other) per user, in nats.

        Raises:
            ConfigError: Either belief is a point, from or to which no finite KL exists, or has a covariance
                that is not diagonal.
        """
        if self.factor is not None or other.factor is not None:
            raise ConfigError(
                "KL is of diagonal beliefs; this encoder's covariance is not diagonal (use NLL)"
            )
        if not (self.std > 0).all() or not (other.std > 0).all():
            raise ConfigError(
                "KL needs beliefs with a spread; a point belief has none (use NLL, or a Gaussian belief)"
            )
        ratio = self.std / other.std
        shift = (self.mean - other.mean) / other.std
        return 0.5 * (ratio.square() + shift.square() - 1 - 2 * ratio.log()).sum(-1)
