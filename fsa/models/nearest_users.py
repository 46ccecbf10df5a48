"""`NearestUsers`: the rewards of the training users who would have chosen most like this one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.solvers.ridge_logistic import ridge_logistic
from fsa.types import Belief, ChoiceBatch


class NearestUsers(Scorer):
    """Mean reward of the nearest training users; near is whose reward makes the context likely.

    Before training every training user's own reward is fitted on all their training choices (ridge logistic
    regression), and is kept with the weights. A new user's reward is a mean over the `nearest` of them,
    weighted by a softmax of the context's log-likelihood over the temperature, the one number that training
    moves. Without choices all are equally near, and all count. Until it has seen users all scores are zero.

    It computes context size x training users numbers for every user it scores.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not used; a belief's memory is read.
        nearest: How many training users count, >= 1; equally near ones all do. After one to three choices few
            are too sure of themselves, and many, weighted by their likelihood, cost nothing later.
        ridge: Strength of the ridge of the training users' rewards, > 0; larger keeps rewards smaller.
        temperature: Temperature of the softmax at the start, in nats, > 0; larger weighs users more evenly.

    Raises:
        ConfigError: A number is below what makes sense.

    Reference:
        [Breese1998] Sec. 2.1: memory-based collaborative filtering; likelihood as nearness is our choice.
    """

    reads_memory: ClassVar[bool] = True
    rewards: Float[Tensor, "users d"]

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        nearest: int = 1000,
        ridge: float = 10.0,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        if nearest < 1 or ridge <= 0 or temperature <= 0:
            raise ConfigError(
                f"nearest is {nearest}, ridge {ridge}, temperature {temperature}; nearest is 1 or more, the"
                " others are above 0"
            )
        self.nearest, self.ridge = nearest, ridge
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))
        self.register_buffer("rewards", torch.zeros(1, d_feature))
        self.register_load_state_dict_pre_hook(_make_room)

    @torch.no_grad()
    def learn_users(self, choices: Iterable[ChoiceBatch]) -> None:
        fitted = [ridge_logistic(batch.difference(), self.ridge) for batch in choices]
        if fitted:
            self.rewards = torch.cat(fitted).to(self.rewards)

    def make_room(self, stored: Mapping[str, Tensor]) -> None:
        if "rewards" in stored and stored["rewards"].shape[1:] == self.rewards.shape[1:]:
            self.rewards = self.rewards.new_zeros(stored["rewards"].shape)

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        reward = self._nearness(self.remembered(belief)) @ self.rewards  # [b, d]
        scores = torch.einsum("bnkd,bd->bnk", choices.features, reward)
        return scores[None, ..., None].expand(len(z), -1, -1, -1, -1)

    def _nearness(self, memory: ChoiceBatch) -> Float[Tensor, "b users"]:
        """Weight of every training user; those that are not among the nearest weigh nothing."""
        margin = memory.difference() @ self.rewards.T  # [b, n, users]
        log_likelihood = functional.logsigmoid(margin).sum(1)  # padding says the same of all users
        last = log_likelihood.topk(min(self.nearest, len(self.rewards))).values[:, -1:]
        scaled = log_likelihood / self.log_temperature.exp()
        return torch.where(log_likelihood >= last, scaled, -torch.inf).softmax(-1)


def _make_room(scorer: NearestUsers, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    scorer.make_room({name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)})
