"""Predictions of target choices: what every measure of a method is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fsa.choices.source import Truth
from fsa.choices.table import ChoiceTable
from fsa.episodes.dataset import collate
from fsa.episodes.sampler import EpisodeRows
from fsa.episodes.tokens import ItemTokens
from fsa.likelihoods.likelihood import predicted
from fsa.metrics.choice_accuracy import SAME, SAME_OF_TEXT, confidence, correctness
from fsa.metrics.steering import flip_correctness
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.measuring.bayes import bayes_correct
from fsa.types import ChoiceBatch, EpisodeBatch

_EPISODES_AT_ONCE = 512
_EPISODES_READ_AT_ONCE, _BLOCKS = 32, 8  # where a language model reads the options, and in how many blocks


@dataclass(frozen=True)
class Predictions:
    """One row for each target choice of each episode.

    Attributes:
        row, user, prompt, group: Numbers of the table [n].
        correct: Credit 0-1, half for a pair predicted as even; NaN where all options tie [n].
        nll: Nats [n].
        confidence: Probability given to the predicted option [n].
        flip_correct: Agreement with the original choice after every context choice was reversed [n].
        bayes_correct: Credit of the best possible prediction from this context; NaN where unknown [n].
    """

    row: np.ndarray
    user: np.ndarray
    prompt: np.ndarray
    group: np.ndarray
    correct: np.ndarray
    nll: np.ndarray
    confidence: np.ndarray
    flip_correct: np.ndarray
    bayes_correct: np.ndarray

    def where(self, keep: np.ndarray) -> Predictions:
        """Some of the rows."""
        return Predictions(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    @staticmethod
    def concatenate(parts: Sequence[Predictions]) -> Predictions:
        """All rows of all parts."""
        return Predictions(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Predictions)}
        )


@torch.no_grad()
def predict(
    model: RewardModel,
    table: ChoiceTable,
    features: Float[Tensor, "m d"],
    episodes: EpisodeRows,
    truth: Truth | None = None,
    tokens: ItemTokens | None = None,
    flip: bool = True,
) -> Predictions:
    """Predict every target of some episodes.

    Args:
        model: What predicts.
        table: The choices.
        features: Projected features of its items.
        episodes: What is seen and what is predicted.
        truth: What generated the choices, where it is known.
        tokens: Tokens of the items, for a model that reads them.
        flip: Predict from reversed contexts too; without, at half the cost, `flip_correct` is NaN.
    """
    features, at_once = features.double(), _EPISODES_AT_ONCE if tokens is None else _EPISODES_READ_AT_ONCE
    parts = []
    for start in range(0, len(episodes.index), at_once):
        part = episodes.part(slice(start, start + at_once))
        batch = collate(part, table, features, tokens, min(_BLOCKS, 2 * len(part.index)))
        found = _predict(model, table, part, batch, flip)
        parts.append(replace(found, bayes_correct=bayes_correct(truth, table, part)) if truth else found)
    return Predictions.concatenate(parts)


def _predict(
    model: RewardModel, table: ChoiceTable, episodes: EpisodeRows, batch: EpisodeBatch, flip: bool
) -> Predictions:
    is_target = batch.target.mask.numpy()
    places = batch.target.places.numpy()[is_target]
    on = batch.to(model.device)
    best, log_prob = _given(model, on.context, on.target)
    rows = episodes.target[is_target]
    same = SAME if batch.target.tokens is None else SAME_OF_TEXT
    flipped = np.full(len(rows), np.nan)
    if flip:
        seen = bool(batch.context.mask.any())  # no choice is the same reversed: half of the work
        turned = _given(model, on.context.reversed(), on.target)[0] if seen else best
        flipped = flip_correctness(turned[is_target], places, same)
    # Where everything ties, every prediction is right, which says nothing of the method.
    says_nothing = (places <= 0).all(-1)
    return Predictions(
        row=rows,
        user=np.broadcast_to(episodes.user[:, None], is_target.shape)[is_target],
        prompt=table.prompt[rows],
        group=table.group[rows],
        correct=np.where(says_nothing, np.nan, correctness(best[is_target], places, same)),
        nll=-log_prob[is_target],
        confidence=confidence(best[is_target], places),
        flip_correct=flipped,
        bayes_correct=np.full(len(rows), np.nan),
    )


def _given(model: RewardModel, context: ChoiceBatch, target: ChoiceBatch) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each option to be picked [b, n, k], and log-probability of each outcome [b, n]."""
    predictive = model.predictive(target, model.encoder(context))
    best, log_prob = predicted(model.likelihood, predictive, target)
    return best.cpu().numpy(), log_prob.cpu().numpy()
