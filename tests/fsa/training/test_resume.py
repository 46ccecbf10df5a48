"""A run that was cut off and resumed is the run that was not."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fsa.objectives.elbo import EvidenceLowerBound
from fsa.training.checkpoints import CHECKPOINTS, LAST
from fsa.training.metrics_csv import METRICS
from fsa.training.module import ChoiceModule
from tests.factories.training import CutOff, cut_off, small_data, small_module

LOOP = {"accumulate": 2, "checkpoint_every": 3, "patience": 0}


def same_weights(one: ChoiceModule, other: ChoiceModule) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(name == name_ and torch.equal(a, b) for (name, a), (name_, b) in pairs)


# Checkpoints are at 3, 4, 6, 8, 9 and 12; 4, 8 and 12 are validated.
@pytest.mark.parametrize("step", [1, 3, 4, 7, 8, 10])
def test_a_run_cut_off_at_any_step_ends_as_if_nothing_had_happened(fit: Callable, tmp_path: Path, step: int):
    whole, data = small_module(dropout=0.2), lambda: small_data(num_workers=1)
    expected = fit(whole, data(), "whole", **LOOP)
    with pytest.raises(CutOff):
        fit(cut_off(small_module(dropout=0.2), step), data(), "cut", **LOOP)
    resumed = small_module(dropout=0.2)
    outcome = fit(resumed, data(), "cut", resume=True, **LOOP)
    assert outcome == expected
    assert same_weights(whole, resumed)
    assert (tmp_path / "cut" / METRICS).read_text() == (tmp_path / "whole" / METRICS).read_text()
    last = [torch.load(tmp_path / run / CHECKPOINTS / LAST, weights_only=True) for run in ("whole", "cut")]
    assert last[0]["lr_schedulers"] == last[1]["lr_schedulers"]
    assert all(
        torch.equal(last[0]["state_dict"][name], last[1]["state_dict"][name])
        for name in last[0]["state_dict"]
    )


def test_dropout_and_belief_noise_are_there_and_come_from_the_seed(fit: Callable):
    def trained(**parts) -> ChoiceModule:
        fit(module := small_module(spread=True, objective=EvidenceLowerBound(), **parts))
        return module

    one = trained(dropout=0.2)
    assert same_weights(one, trained(dropout=0.2))
    assert not same_weights(one, trained(dropout=0.2, seed=4))
    assert not same_weights(one, trained(dropout=0.0))


def test_a_run_that_stopped_early_stays_stopped(fit: Callable):
    stopping = {"patience": 1, "max_steps": 40, "validate_every": 2}
    frozen = small_module()
    frozen.optimizer.lr = 0.0  # so no validation is better than the first
    outcome = fit(frozen, **stopping)
    assert (outcome["steps"], outcome["best_step"]) == (4, 2)
    assert fit(small_module(), resume=True, **stopping) == outcome


def test_a_finished_run_resumed_gives_its_outcome_again(fit: Callable):
    module, again = small_module(), small_module(seed=9)
    outcome = fit(module)
    assert fit(again, resume=True) == outcome
    assert same_weights(module, again)


def test_resuming_what_never_began_begins(fit: Callable):
    assert fit(small_module(), resume=True)["steps"] == 12


def test_a_half_written_checkpoint_does_no_harm(fit: Callable, tmp_path: Path):
    expected = fit(small_module(), out="whole")
    fit(small_module(), max_steps=12)
    (tmp_path / "run" / CHECKPOINTS / f"{LAST}.unfinished").write_bytes(b"half a che")
    assert fit(small_module(), resume=True) == expected
    assert math.isfinite(expected["validation_nll"])
