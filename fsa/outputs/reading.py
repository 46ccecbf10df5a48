"""How a model reads people and responses: as tensors, and what it believes of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fsa.errors import CheckpointError, ConfigError
from fsa.outcomes import places_of
from fsa.outputs.history import History
from fsa.types import Belief, ChoiceBatch, TokenRows

if TYPE_CHECKING:
    from fsa.outputs.reward_model import RewardModel


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
        return model.encoder(choice_batch(model, histories).to(model.device))
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise CheckpointError(
            f"{model.origin or 'the model'}: its numbers allow no belief: {error!s:.200}"
        ) from error


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
