"""`InferredTarget`: the judge's inference of a person's target, over attributes learned from choices."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from fsa.errors import ConfigError
from fsa.judge.infer import prior
from fsa.models.scorer import Scorer
from fsa.solvers.simplex import leads
from fsa.types import Belief, ChoiceBatch

_NOTHING = -1e9  # log-odds; infinity would have no gradient where there is no rival


class InferredTarget(Scorer):
    """Expected utility of an option under the posterior over targets, given the user's choices.

    What `fsa.judge.infer.infer_target` is for a judge's scores: a person wants levels of some attributes and
    chooses what lies nearest, Bradley-Terry-Luce on distances; every target at five levels or not named is
    weighed, with every sharpness. Scored people's examples are not to be had on every data set, so the judge
    here is a linear map of the features onto scores from 0 to 1, trained through the posterior. Of a ranking
    the first place is read; equal best options count as their mean.

    Without choices it prefers what lies near the middle of the targets, for any person.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not used; a belief's memory is read.
        attributes: Attributes that the judge scores, 1 to 6; one more takes six times as long.

    Raises:
        ConfigError: There are fewer or more attributes.

    Reference:
        [Adams2025] Steerable Pluralism: the distance to a target; its posterior is ours.
    """

    reads_memory: ClassVar[bool] = True
    levels: Float[Tensor, "t a"]
    named: Float[Tensor, "t a"]
    sharpness: Float[Tensor, " h"]
    log_prior: Float[Tensor, "t h"]

    def __init__(self, d_feature: int, d_belief: int, attributes: int = 3) -> None:
        super().__init__()
        if not 1 <= attributes <= 6:
            raise ConfigError(f"attributes is {attributes}; it is from 1 to 6")
        start = prior([str(number) for number in range(attributes)])
        levels = torch.from_numpy(start.levels)
        self.register_buffer("levels", levels.nan_to_num().float(), persistent=False)
        self.register_buffer("named", (~levels.isnan()).float(), persistent=False)
        sharpness, weight = torch.from_numpy(start.sharpnesses), torch.from_numpy(start.probability)
        self.register_buffer("sharpness", sharpness.float(), persistent=False)
        self.register_buffer("log_prior", weight.log().float(), persistent=False)
        self.judge = nn.Linear(d_feature, attributes)
        nn.init.normal_(self.judge.weight, std=d_feature**-0.5)

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k 1"]:
        weight = self.posterior(self.remembered(belief)) @ self.sharpness  # [b, t], nats a unit of distance
        reward = -torch.einsum("bnkt,bt->bnk", self._distance(choices.features), weight)
        return reward.unsqueeze(-1).expand(len(z), *reward.shape, 1)

    def posterior(self, memory: ChoiceBatch) -> Float[Tensor, "b t h"]:
        """Probability of every target with every sharpness."""
        lead, is_rival = leads(-self._distance(memory.features), memory.places)  # [b, n, j, t]
        against = torch.where(is_rival[..., None, None], -lead.unsqueeze(-1) * self.sharpness, _NOTHING)
        against = against.squeeze(2) if against.shape[2] == 1 else against.logsumexp(2)
        surprise = softplus(against).sum(1)  # [b, t, h]
        return (self.log_prior - surprise).flatten(1).softmax(1).unflatten(1, self.log_prior.shape)

    def _distance(self, features: Float[Tensor, "b n k d"]) -> Float[Tensor, "b n k t"]:
        """Of each option's scores from each target, over the attributes that the target names."""
        scores = self.judge(features).sigmoid()
        square = (self.levels**2).sum(1) + scores**2 @ self.named.T - 2 * scores @ self.levels.T
        return square.clamp(min=1e-8).sqrt()
