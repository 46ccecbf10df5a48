"""How a model reads people and responses: as tensors, and what it believes of people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fsa.errors import CheckpointError, ConfigError
from fsa.outcomes import places_of
from fsa.outputs.history import History
from fsa.outputs.matched_noise import matched_noise
from fsa.types import Belief, ChoiceBatch, TokenRows

if TYPE_CHECKING:
    from fsa.outputs.reward_model import RewardModel

_MEANT = 0.8  # probability that a statement is meant, before any choice (docs/log.md)


@torch.no_grad()
def read(model: RewardModel, histories: Sequence[History]) -> Belief:
    """What is believed of some people [b]; the same to the last digit in whichever order choices are given.

    Raises:
        ConfigError: Some choices count more than others, and the encoder counts all alike.
        CheckpointError: The model's numbers are so large or small that they allow no belief.
    """
    weighed = any(history.weighed for history in histories)
    if weighed and not model.encoder.reads_weight:
        raise ConfigError(
            f"half_life, stated: {type(model.encoder).__name__} counts all choices alike; "
            "fsa.encoders.taste_posterior.TastePosterior weighs them"
        )
    try:
        choices = choice_batch(model, histories).to(model.device)
        if any(history.stated for history in histories):
            made = torch.tensor([len(history.choices) for history in histories], device=choices.mask.device)
            place = torch.arange(choices.mask.shape[1], device=made.device)
            choices = believed(model, choices, choices.mask & (place >= made.unsqueeze(-1)))
        return model.encoder(choices)
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise CheckpointError(
            f"{model.origin or 'the model'}: its numbers allow no belief: {error!s:.200}"
        ) from error


def believed(model: RewardModel, choices: ChoiceBatch, is_said: Bool[Tensor, "b n"]) -> ChoiceBatch:
    """The same choices, those that stand for a statement counting as much less as it is believed less.

    A statement is meant, or it says nothing about the person. Bayes' rule tells which: by how much better the
    statement alone predicts the person's choices than nothing does. A choice moves these odds no further than
    the lapse allows, so a single one cannot undo a statement.

    Args:
        model: Reads the choices.
        choices: With weights; of a statement, those of one that is believed.
        is_said: True where a choice stands for a statement.

    Reference:
        [Bishop2006] Sec. 3.4: comparison of models by how well each predicts.
    """
    assert choices.weight is not None, "a statement weighs its choices"
    made = torch.where(is_said, 0, choices.weight) * choices.mask
    said = replace(choices, rows=torch.where(is_said, choices.rows, -1))
    nothing = replace(choices, rows=torch.full_like(choices.rows, -1))
    meant, unknown = (_evidence(model, choices, model.encoder(each), made) for each in (said, nothing))
    share = torch.sigmoid(meant - unknown + math.log(_MEANT / (1 - _MEANT))).unsqueeze(-1)
    return replace(choices, weight=torch.where(is_said, share * choices.weight, choices.weight))


def _evidence(
    model: RewardModel, choices: ChoiceBatch, belief: Belief, weight: Float[Tensor, "b n"]
) -> Float[Tensor, " b"]:
    """Log-probability of all choices together under a belief, each counting so much."""
    noise = matched_noise(model.num_samples, belief.mean.shape[1]).unsqueeze(1).to(belief.mean.device)
    predictive = model.scorer.by_features(model.encoder).predictive(choices, belief, noise)
    each = model.likelihood.log_prob(predictive.scores, choices.places)
    at_place = torch.where(weight > 0, each * weight, 0).sum(-1)  # [s, b]
    if predictive.log_weight is None or not weight.shape[1]:
        return at_place.logsumexp(0) - math.log(len(at_place))
    return (at_place + predictive.log_weight[..., 0]).logsumexp(0)


def choice_batch(model: RewardModel, histories: Sequence[History]) -> ChoiceBatch:
    """All people's choices as tensors, padded to the most choices and options; on the CPU."""
    of_each = [history.canonical() for history in histories]
    flat = [choice for known in of_each for choice, _ in known]
    n = max(map(len, of_each), default=0)
    k = max((len(choice.options) for choice in flat), default=2)
    places = torch.full((len(of_each), n, k), -1)
    weight = torch.zeros(len(of_each), n, dtype=torch.float64)
    found = iter(places_of([choice.outcome for choice in flat], [len(choice.options) for choice in flat]))
    for b, known in enumerate(of_each):
        for i, (choice, counts) in enumerate(known):
            places[b, i, : len(choice.options)] = torch.tensor(next(found))
            weight[b, i] = counts
    features = torch.zeros(*places.shape, model.config["d_feature"], dtype=torch.float64)
    if flat:
        prompts = [choice.prompt for choice in flat for _ in choice.options]
        features[places >= 0] = model.vectors(
            prompts, [option for choice in flat for option in choice.options]
        )
    rows = torch.where((places >= 0).any(-1), 0, -1)
    weighed = any(history.weighed for history in histories)
    return ChoiceBatch(features, places, rows, weight=weight if weighed else None)


def as_options(
    features: Float[Tensor, "o d"] | None, mask: Bool[Tensor, "m k"], d_feature: int, tokens: TokenRows | None
) -> ChoiceBatch:
    """Responses to one prompt a person, as one choice each without an outcome.

    Args:
        features: Of the responses, one person after the other; None where the model reads tokens.
        mask: True where there is a response.
        d_feature: Width of the features.
        tokens: The responses as tokens, where the model reads these.
    """
    everything = torch.zeros(*mask.shape, d_feature, dtype=torch.float64)
    if features is not None:
        everything[mask] = features
    places = torch.where(mask, 0, -1).unsqueeze(1)
    return ChoiceBatch(everything.unsqueeze(1), places, torch.zeros(len(mask), 1).long(), tokens)
