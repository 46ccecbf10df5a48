"""Choices and candidates of several people as the tensors that a model reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fsa.outcomes import places_of
from fsa.types import Choice, ChoiceBatch, Numbers, Text, TokenRows

Extract: TypeAlias = Callable[[list[Text], list[Text | Numbers]], Float[Tensor, "m d"]]
"""Features of responses to prompts."""


def choices_as_batch(
    choices_of_each: Sequence[Sequence[Choice]], extract: Extract, d_feature: int
) -> ChoiceBatch:
    """Everybody's choices, padded to the most choices and options of anybody."""
    flat = [choice for choices in choices_of_each for choice in choices]
    sizes = [len(choice.options) for choice in flat]
    n = max(map(len, choices_of_each), default=0)
    places = torch.full((len(choices_of_each), n, max(sizes, default=2)), -1)
    found = iter(places_of([choice.outcome for choice in flat], sizes))
    for b, choices in enumerate(choices_of_each):
        for i, choice in enumerate(choices):
            places[b, i, : len(choice.options)] = torch.tensor(next(found))
    features = torch.zeros(*places.shape, d_feature, dtype=torch.float64)
    if flat:
        prompts = [choice.prompt for choice in flat for _ in choice.options]
        features[places >= 0] = extract(prompts, [option for choice in flat for option in choice.options])
    return ChoiceBatch(features, places, torch.where((places >= 0).any(-1), 0, -1))


def responses_as_batch(
    features: Float[Tensor, "o d"] | None, mask: Bool[Tensor, "m k"], d_feature: int, tokens: TokenRows | None
) -> ChoiceBatch:
    """Responses to one prompt a person, as one choice each that nobody has made.

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
