"""`RewardMap`: features to rewards, linear in all of them beside a small network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.types import ChoiceBatch


class RewardMap(nn.Module):
    """Sum of a linear map and a network of one hidden layer: wide and deep.

    The linear map carries over to texts unlike the training texts; the network learns what is particular to
    texts that many people judged. Weights have a Gaussian prior, so that few choices leave the map near its
    start and many move it freely. The network may read every feature at another size (`read_at`).

    Args:
        d_feature: Width of an option's features.
        d_out: Rewards per option.
        units: Units of the network; 0 leaves the linear map alone.
        dropout: Share of hidden units dropped in training, 0-1.
        std: Standard deviation of the linear weights at the start, times the root of `d_feature`; 0 starts
            at zero.
        members: Parts that the rewards are dealt into, in order, each with units of its own.

    Reference:
        [Cheng2016] Wide and deep learning: a linear part that generalises beside a network that memorises.
    """

    size: Float[Tensor, " d"] | None

    def __init__(
        self,
        d_feature: int,
        d_out: int,
        units: int = 128,
        dropout: float = 0.1,
        std: float = 0.0,
        members: int = 1,
    ) -> None:
        super().__init__()
        self.register_buffer("size", None)  # what the network multiplies features with
        self.members = members
        self.wide = nn.Linear(d_feature, d_out, bias=False)
        nn.init.normal_(self.wide.weight, std=std * d_feature**-0.5)
        self.deep: nn.Sequential | None = None
        if units:
            last = nn.Linear(units, d_out, bias=False) if members == 1 else _Parts(units, d_out, members)
            nn.init.normal_(last.weight, std=(std or 0.1) * units**-0.5)
            first = nn.Linear(d_feature, members * units)
            self.deep = nn.Sequential(first, nn.GELU(), _Dropout(dropout), last)
            if isinstance(last, _Parts):
                last.weight.data *= last.own

    def forward(self, features: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows r"]:
        wide: Tensor = self.wide(features)
        return wide if self.deep is None else wide + self.deep(self._read(features))

    def read_at(self, size: Float[Tensor, " d"] | None) -> None:
        """Let the network read each feature times a size, such as one over its spread; None: as they are."""
        self.size = size

    def resize_buffers(self, stored: Mapping[str, Tensor]) -> None:
        """Make room for the sizes of a stored map, if it has any."""
        self.size = torch.ones_like(self.wide.weight[0]) if "size" in stored else None

    def _read(self, features: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows d"]:
        return features if self.size is None else features * self.size.to(features.dtype)

    def hidden(self, features: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows f"]:
        """What rewards are linear in: the features, and the network's units beside them."""
        return (
            features if self.deep is None else torch.cat([features, self.deep[:-1](self._read(features))], -1)
        )

    def of_hidden(self, hidden: Float[Tensor, "*rows f"]) -> Float[Tensor, "*rows r"]:
        """Rewards by what they are linear in."""
        if self.deep is None:
            rewards: Tensor = self.wide(hidden)
            return rewards
        features, units = hidden.split([self.wide.in_features, hidden.shape[-1] - self.wide.in_features], -1)
        return self.wide(features) + self.deep[-1](units)

    def by_member(self, hidden: Float[Tensor, "*rows f"]) -> Float[Tensor, "*rows g h"]:
        """What each member's rewards are linear in: the features, and its own units beside them."""
        features, units = hidden.tensor_split([self.wide.in_features], -1)
        shape = (*hidden.shape[:-1], self.members, self.wide.in_features)
        return torch.cat([features.unsqueeze(-2).expand(shape), units.unflatten(-1, (self.members, -1))], -1)

    def of(self, choices: ChoiceBatch) -> Float[Tensor, "b n k r"]:
        """Rewards of every option; a text that a batch knows to be there twice is read once."""
        return rewards_by([self], choices)[0]

    def prior(self) -> Float[Tensor, ""]:
        """Minus the log-density of the weights under a standard normal prior, in nats, up to a constant."""
        squares = [weight.square().sum() for weight in self.parameters() if weight.ndim >= 2]
        return torch.stack(squares).sum() / 2


class _Dropout(nn.Dropout):
    """Dropout whose mask a CPU draws as four numbers of 16 bits at once: a seventh of the time.

    The share is rounded to a 65,536th.
    """

    def forward(self, input: Float[Tensor, "*rows f"]) -> Float[Tensor, "*rows f"]:
        dropped = round(self.p * 2**16)
        if not self.training or not 0 < dropped < 2**16 or input.device.type != "cpu":
            return super().forward(input)
        drawn = torch.empty(-(-input.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        kept = drawn.view(torch.int16)[: input.numel()].view(input.shape) >= dropped - 2**15
        return input * (kept.to(input.dtype) * (2**16 / (2**16 - dropped)))


class _Parts(nn.Linear):
    """A linear map of several parts, each of its own units; weights between parts are zero and stay zero."""

    own: Float[Tensor, "r f"]

    def __init__(self, units: int, d_out: int, members: int) -> None:
        super().__init__(members * units, d_out, bias=False)
        each = torch.ones(d_out // members, units)
        self.register_buffer("own", torch.block_diag(*[each] * members), persistent=False)

    def forward(self, input: Float[Tensor, "*rows f"]) -> Float[Tensor, "*rows r"]:
        return nn.functional.linear(input, self.weight * self.own)


def taste_maps(
    d_feature: int,
    d_population: int,
    d_taste: int,
    units: int,
    dropout: float,
    std: float,
    members: int = 1,
) -> tuple[RewardMap, RewardMap]:
    """A map of what all people share, and one of what sets them apart, whose size at the start is `std`."""
    return (
        RewardMap(d_feature, d_population, units, dropout),
        RewardMap(d_feature, d_taste, units, dropout, std, members),
    )


def rewards_by(maps: Sequence[RewardMap], choices: ChoiceBatch) -> list[Float[Tensor, "b n k r"]]:
    """Rewards of every option by each map; see `RewardMap.of`."""
    if choices.repeats is None:
        features = torch.where(choices.option_mask.unsqueeze(-1), choices.features, 0)
        return [each(features) for each in maps]
    distinct = choices.features.flatten(0, 2)[choices.repeats.first]
    return [each(distinct)[choices.repeats.which] for each in maps]


def hidden_by(
    maps: Sequence[RewardMap], features: Float[Tensor, "*rows d"]
) -> list[Float[Tensor, "*rows f"]]:
    """What each map's rewards are linear in; see `RewardMap.hidden`."""
    return [each.hidden(features) for each in maps]


def of_hidden_by(
    maps: Sequence[RewardMap], hidden: Sequence[Float[Tensor, "*rows f"]]
) -> list[Float[Tensor, "*rows r"]]:
    """Rewards of each map by what they are linear in."""
    return [each.of_hidden(own) for each, own in zip(maps, hidden, strict=True)]


def prior_of(maps: Sequence[RewardMap], precisions: Sequence[float]) -> Float[Tensor, ""]:
    """Minus the log-density of the weights of some maps, in nats, up to a constant.

    Args:
        maps: The maps.
        precisions: Of each map's Gaussian prior.
    """
    weighed = [precision * each.prior() for precision, each in zip(precisions, maps, strict=True)]
    return torch.stack(weighed).sum()
