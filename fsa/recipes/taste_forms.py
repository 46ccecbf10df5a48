"""Before the personal stage: in which form what sets people apart is learned."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from fsa.choices.table import ChoiceTable
from fsa.recipes.calibration import calibrate, other_draws
from fsa.training.checkpoints import CHECKPOINTS
from fsa.training.datamodule import EpisodeData
from fsa.training.loop import Loop
from fsa.training.module import ChoiceModule

_SHARE = 5  # of this many steps of the run, one goes into each trial
POOLED = "pooled"
_CLEARLY = 0.002, 0.5  # nats a choice, and standard errors, by which another form has to beat the first


def choose_form(
    module: ChoiceModule,
    data: EpisodeData,
    train: ChoiceTable,
    matrix: Float[Tensor, "m d"],
    loop: Loop,
    folder: Path,
    resume: bool,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Try the forms that the scorer knows, and leave the module in the one that predicts validation best.

    What a data set wants cannot be told from its size: where many people judged the same texts, what sets
    people apart lies in fine differences of texts; where texts are few and new ones come, in hardly more than
    their length. So each form is trained for a fifth of the run's steps, as a run of its own, and compared
    as sure as it should be (`calibrate`). The chosen one is then trained from the start; what its trial came
    to stays a candidate (`calibrate_better`), for a short run whose rate falls to zero can end below a long
    one that stops early.

    Args:
        module: What is trained; its weights are afterwards what they were.
        data: What it is trained on.
        train: The training choices.
        matrix: One vector an item.
        loop: Of the run.
        folder: The run folder.
        resume: Go on from trials that are there.

    Returns:
        What to remember: the chosen form, and the validation's negative log-likelihood of each; and the
        weights that the trial of the chosen one ended with. Nothing where there is no choice.
    """
    forms, steps = module.scorer.forms(matrix[train.items_used].std(0)), loop.max_steps // _SHARE
    if len(forms) < 2 or not steps:
        return {}, {}
    start = weights_of(module)
    short = replace(loop, max_steps=steps, patience=0)
    found: dict[str, Float[np.ndarray, " p"]] = {}
    ends: dict[str, dict[str, Tensor]] = {}
    for name, take in forms.items():
        take()
        short.fit(module, data, folder / CHECKPOINTS / name.replace(" ", "_"), resume)
        found[name], ends[name] = _nll(module, data), weights_of(module)
        _put(module, start)
    means = {name: float(nll.mean()) for name, nll in found.items()}
    first, best = next(iter(means)), min(means, key=means.__getitem__)
    gain = found[first] - found[best]  # of each validation person
    nats, errors = _CLEARLY
    is_clear = len(gain) > 1 and gain.mean() > max(nats, errors * _standard_error(gain))
    chosen = best if is_clear else first
    forms[chosen]()
    return {"form": chosen, "form_nll": means}, ends[chosen]


def calibrate_better(
    module: ChoiceModule,
    data: EpisodeData,
    trial: dict[str, Tensor],
    tried: Mapping[str, Any],
    start: dict[str, Tensor],
) -> dict[str, Any]:
    """Calibrate a module, with its weights or those of a trial: whichever predict validation better.

    The weights are chosen by the draws that validated them, how sure to be by others: see `other_draws`. Of
    many validations one is the best by chance alone, so that weights have to be better than the pooled
    model's by half a standard error over validation people; else the pooled model's stay.

    Args:
        module: The module.
        data: What it is trained on.
        trial, tried: Weights of the chosen form's trial, and what is known of the trials; of `choose_form`.
        start: Weights before the personal stage, of the pooled model; empty where there is none.

    Returns:
        What to remember: the validation's negative log-likelihood of either, and by how much it was lowered
        by what sets people apart, in nats a choice; nothing without a trial and a start.
    """
    found, of_best = {}, None
    if trial:
        of_best = _nll(module, data)
        of_run, of_trial = float(of_best.mean()), tried["form_nll"][tried["form"]]
        if not of_run <= of_trial:
            _put(module, trial)
            of_best = None
        found = {"calibrated_nll": {"run": of_run, "trial": of_trial}}
    if start:
        found |= _personal_or_not(module, data, start, _nll(module, data) if of_best is None else of_best)
    calibrate(module.encoder, module.scorer, module.likelihood, data, other_draws(data))
    return found


def _personal_or_not(
    module: ChoiceModule, data: EpisodeData, start: dict[str, Tensor], of_best: Float[np.ndarray, " p"]
) -> dict[str, Any]:
    """Put the start's weights back where the module's, of this NLL, are not clearly better."""
    best = weights_of(module)
    _put(module, start)
    gain = _nll(module, data) - of_best  # of each validation person
    is_clear = len(gain) < 2 or gain.mean() > _CLEARLY[1] * _standard_error(gain)
    if is_clear:
        _put(module, best)
    return {"personal_gain": float(gain.mean()), "weights": "personal" if is_clear else POOLED}


def _standard_error(values: Float[np.ndarray, " p"]) -> float:
    return float(values.std(ddof=1)) / len(values) ** 0.5


def _nll(module: ChoiceModule, data: EpisodeData) -> Float[np.ndarray, " p"]:
    # Copies: what a calibration does to them is not taken back.
    encoder, scorer = copy.deepcopy((module.encoder, module.scorer))
    nll = calibrate(encoder, scorer, module.likelihood, data)
    assert nll is not None, "a scorer of several forms can be calibrated"
    return nll


def weights_of(module: ChoiceModule) -> dict[str, Tensor]:
    """A copy of them, by name."""
    return {name: weight.detach().clone() for name, weight in module.named_parameters()}


def _put(module: ChoiceModule, weights: dict[str, Tensor]) -> None:
    for name, weight in module.named_parameters():
        weight.data.copy_(weights[name])
