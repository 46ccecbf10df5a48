"""How a model reads people and responses: as tensors, and what it believes of people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fsa.errors import CheckpointError, ConfigError, ShapeError
from fsa.outputs.api_inputs import as_items, as_prompt, as_response
from fsa.outputs.history import History
from fsa.outputs.matched_noise import matched_noise
from fsa.types import Belief, ChoiceBatch, Numbers, Text

if TYPE_CHECKING:
    from fsa.outputs.person import Person
    from fsa.outputs.reward_model import RewardModel

_MEANT = 0.995  # probability that a statement is meant, before any choice (docs/log.md)


@torch.no_grad()
def read(model: RewardModel, histories: Sequence[History]) -> Belief:
    """What is believed of some people [b]; the same to the last digit in whichever order choices are given.

    Raises:
        ConfigError: Some choices count more than others, and the encoder counts all alike.
        CheckpointError: The model's numbers are so large or small that they allow no belief.
    """
    try:
        choices = _placed(choice_batch(model, histories), model)
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
    """All people's choices as tensors, padded to the most choices and options; on the CPU.

    Raises:
        ConfigError: Some choices count more than others, and the encoder counts all alike.
    """
    weighed = any(history.half_life is not None or history.stated for history in histories)
    if weighed and not model.encoder.reads_weight:
        raise ConfigError(
            f"half_life, stated: {type(model.encoder).__name__} counts all choices alike; "
            "fsa.encoders.taste_posterior.TastePosterior weighs them"
        )
    of_each = [history.canonical() for history in histories]
    flat = [choice for known in of_each for choice, _, _ in known]
    n = max(map(len, of_each), default=0)
    k = max((len(choice.options) for choice in flat), default=2)
    places = torch.full((len(of_each), n, k), -1)
    weight = torch.zeros(len(of_each), n, dtype=torch.float64)
    for b, known in enumerate(of_each):
        for i, (_, its, counts) in enumerate(known):
            places[b, i, : len(its)] = torch.tensor(its)
            weight[b, i] = counts
    features = torch.zeros(*places.shape, model.config["d_feature"], dtype=torch.float64)
    if flat:
        prompts = [choice.prompt for choice in flat for _ in choice.options]
        options = [option for choice in flat for option in choice.options]
        features[places >= 0] = vectors(model, prompts, options)
    rows = torch.where((places >= 0).any(-1), 0, -1)
    return ChoiceBatch(features, places, rows, weight=weight if weighed else None)


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
    features = torch.zeros(*mask.shape, model.config["d_feature"], dtype=torch.float64)
    tokens = None
    if model.texts:
        slots = np.flatnonzero(mask.numpy())
        tokens = model.texts.rows(prompts, responses, slots).to(device_of(model))
        scorer: Any = model.scorer
        if scorer.needs_reference:
            tokens = replace(tokens, reference=scorer.reference(tokens))
        if model.scorer.reads_features:
            features[mask] = _measures(model, responses)
    else:
        features[mask] = vectors(model, prompts, responses)
    places, rows = torch.where(mask, 0, -1).unsqueeze(1), torch.zeros(len(mask), 1).long()
    return _placed(ChoiceBatch(features.unsqueeze(1), places, rows, tokens), model)


def _measures(model: RewardModel, responses: list[Text | Numbers]) -> Float[Tensor, "m d"]:
    """The measures' part of `vectors`, without running a backbone; the rest means nothing."""
    nothing = np.zeros((len(responses), model.features.width), np.float32)
    return torch.from_numpy(model.projection.apply(nothing, responses)).double()


def vectors(model: RewardModel, prompts: list[Text], responses: list[Text | Numbers]) -> Float[Tensor, "m d"]:
    """Projected features of responses, on the CPU."""
    found = model.features.extract(prompts, responses)
    return torch.from_numpy(model.projection.apply(found, responses)).double()


def _placed(choices: ChoiceBatch, model: RewardModel) -> ChoiceBatch:
    """Choices where the model is."""
    device = device_of(model)
    return choices if choices.places.device == device else choices.to(device)


def device_of(model: RewardModel) -> torch.device:
    """Where a model is."""
    return next(model.parameters()).device


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
