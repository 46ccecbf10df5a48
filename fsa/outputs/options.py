"""Responses as the options that a model's scorer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fsa.errors import ShapeError
from fsa.outputs.api_inputs import as_items, as_prompt, as_response
from fsa.outputs.reading import as_options
from fsa.types import ChoiceBatch, Numbers, Text

if TYPE_CHECKING:
    from fsa.outputs.person import Person
    from fsa.outputs.reward_model import RewardModel


def options_of(
    model: RewardModel,
    people: Sequence[Person],
    prompts: Sequence[Text],
    responses: Sequence[Sequence[Text | Numbers]],
) -> ChoiceBatch:
    """Responses as the options of one choice each [m, 1, k]; none is chosen.

    Raises:
        ShapeError: A person has no response to score, or was read by another model.
        ChoiceDataError: A prompt or response is neither text, chat nor numbers.
    """
    check_people(model, people, responses)
    sizes = [len(each) for each in responses]
    mask = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
    asked, offered = as_items(prompts, responses)
    return _batch(model, asked, offered, mask)


def items_of(model: RewardModel, prompts: Sequence[Text], responses: Sequence[Text | Numbers]) -> ChoiceBatch:
    """Responses, each to a prompt of its own, as the options of one choice [1, 1, k]; none is chosen.

    Raises:
        ChoiceDataError: A prompt or response is neither text, chat nor numbers.
    """
    asked = [as_prompt(prompt, f"prompts[{i}]") for i, prompt in enumerate(prompts)]
    offered = [as_response(response, f"responses[{i}]") for i, response in enumerate(responses)]
    return _batch(model, asked, offered, torch.ones(1, len(offered), dtype=torch.bool))


def _batch(
    model: RewardModel, prompts: list[Text], responses: list[Text | Numbers], mask: Bool[Tensor, "m k"]
) -> ChoiceBatch:
    """Options [m, 1, k] that are there where `mask` says, on the model's device."""
    features = tokens = None
    if model.texts:
        slots = np.flatnonzero(mask.numpy())
        tokens = model.texts.rows(prompts, responses, slots).to(model.device)
        scorer: Any = model.scorer
        if scorer.needs_reference:
            tokens = replace(tokens, reference=scorer.reference(tokens))
        features = _measures(model, responses) if model.scorer.reads_features else None
    else:
        features = model.vectors(prompts, responses)
    return as_options(features, mask, model.config["d_feature"], tokens).to(model.device)


def _measures(model: RewardModel, responses: list[Text | Numbers]) -> Float[Tensor, "m d"]:
    """The measures' part of `RewardModel.vectors`, without running a backbone; the rest means nothing."""
    vectors = np.zeros((len(responses), model.features.width), np.float32)
    return torch.from_numpy(model.projection.apply(vectors, responses)).double()


def check_people(
    model: RewardModel, people: Sequence[Person], responses: Sequence[Sequence[Text | Numbers]]
) -> None:
    """Refuse people of another model, and people without a response to score.

    Raises:
        ShapeError: Names the first of them.
    """
    for i, (person, each) in enumerate(zip(people, responses, strict=True)):
        if person.model is not model:
            raise ShapeError(f"people[{i}] was read by another model; beliefs of two models do not mix")
        if isinstance(each, str | Mapping) or not isinstance(each, Sequence | np.ndarray):
            raise ShapeError(f"responses[{i}] must be a list of responses, came {each!r:.80}")
        if not len(each):
            raise ShapeError(f"responses[{i}] is empty; there must be a response to score")
