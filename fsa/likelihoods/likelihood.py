"""`ChoiceLikelihood`: from scores of options to the probability of what was chosen."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from fsa.errors import ShapeError
from fsa.predictive import Predictive
from fsa.types import ChoiceBatch


class ChoiceLikelihood(nn.Module, ABC):
    """Base of all likelihoods.

    An outcome that a likelihood does not know, such as a tie for one that only knows picks, has probability
    zero: its log is minus infinity, so a forgotten check shows in the loss. Of a ranking, a likelihood that
    knows no rankings reads the first place.

    Attributes:
        num_params: Numbers per option that a scorer has to give (p).
        outcomes: Which outcomes it scores: any of "pick", "tie", "ranking".
        max_options: The most options a choice may have, or None for any number.
    """

    num_params: int = 1
    outcomes: frozenset[str] = frozenset({"pick"})
    max_options: int | None = None

    @abstractmethod
    def log_prob(
        self, scores: Float[Tensor, "*rows k p"], places: Int[Tensor, "*rows k"]
    ) -> Float[Tensor, "*rows"]:
        """Log-probability of each outcome, in nats; 0 for a row that is all padding.

        Args:
            scores: Scores of the options; leading axes broadcast against those of `places`.
            places: Place of each option, 0 = best, -1 = no such option (see `fsa.types.ChoiceBatch`).

        Raises:
            ShapeError: The scorer gives another number of parameters, or there are too many options.
        """

    @abstractmethod
    def best(
        self, scores: Float[Tensor, "*rows k p"], option_mask: Bool[Tensor, "*rows k"]
    ) -> Float[Tensor, "*rows k"]:
        """Probability that each option is the one picked; 0 for padding, 1 less that of a tie in sum.

        Leading axes of the scores broadcast against those of the mask.
        """

    def log_num_outcomes(self, places: Int[Tensor, "*rows k"]) -> Float[Tensor, "*rows"]:
        """Log of how many outcomes each choice could have had, asked as it was; 0 for padding."""
        return (places >= 0).sum(-1).clamp(min=1).to(torch.get_default_dtype()).log()


def predicted(
    likelihood: ChoiceLikelihood, predictive: Predictive, choices: ChoiceBatch
) -> tuple[Float[Tensor, "b n k"], Float[Tensor, "b n"]]:
    """Probability of each option to be picked, and log-probability of each choice's outcome, in nats, both
    averaged over what is believed of the users."""
    best = predictive.mean(likelihood.best(predictive.scores, choices.option_mask))
    return best, outcome_log_prob(likelihood, predictive, choices)


def outcome_log_prob(
    likelihood: ChoiceLikelihood, predictive: Predictive, choices: ChoiceBatch
) -> Float[Tensor, "b n"]:
    """Log-probability of each choice's outcome, in nats, averaged over what is believed of the users."""
    return predictive.log_mean(likelihood.log_prob(predictive.scores, choices.places))


def picked(
    likelihood: ChoiceLikelihood, predictive: Predictive, option_mask: Bool[Tensor, "b n k"]
) -> Float[Tensor, "b n k"]:
    """Probability of each option to be picked where one is, averaged over what is believed of the users.

    It is 0 for padding, and 1 in sum.

    Among more options than the likelihood knows, the odds are those of the first scores (Bradley-Terry-Luce).

    Args:
        likelihood: How people choose.
        predictive: Scores at places of the beliefs.
        option_mask: True where there is an option; these come before the padding, and there is one.
    """
    scores, here, most = predictive.scores, option_mask, likelihood.max_options
    if most is None:
        best = likelihood.best(scores, here)
    else:
        k = scores.shape[-2]
        scores, here = (functional.pad(scores, (0, 0, 0, most)), functional.pad(here, (0, most)))
        few = functional.pad(likelihood.best(scores[..., :most, :], here[..., :most]), (0, k))
        many = masked(scores[..., 0], here).softmax(-1)
        best = torch.where(here.sum(-1, keepdim=True) <= most, few, many)[..., :k]
    chances = predictive.mean(best)
    return chances / chances.sum(-1, keepdim=True)


def rewards_of(scores: Float[Tensor, "*rows k 1"]) -> Float[Tensor, "*rows k"]:
    """The one score per option of a likelihood with one parameter, in single precision or better.

    Raises:
        ShapeError: There is not exactly one.
    """
    if scores.shape[-1] != 1:
        raise ShapeError(f"this likelihood takes one score per option, the scorer gives {scores.shape[-1]}")
    return scores.squeeze(-1).to(torch.promote_types(scores.dtype, torch.float32))


def masked(
    rewards: Float[Tensor, "*rows k"], option_mask: Bool[Tensor, "*rows k"]
) -> Float[Tensor, "*rows k"]:
    """Rewards that give options which are not there no probability.

    Finite, so that a row of padding alone stays free of NaN.
    """
    return torch.where(option_mask, rewards, torch.finfo(rewards.dtype).min / 2)
