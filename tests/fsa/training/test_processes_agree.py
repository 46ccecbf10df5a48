"""Two processes, or more batches a step, take the steps that one would."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.taste_posterior import TastePosterior
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.taste_reward import TasteReward
from fsa.objectives.elbo import EvidenceLowerBound
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW
from tests.factories.torchrun import both
from tests.factories.training import SIZES, CutOff, cut_off, small_data, small_loop, small_module

LOOP = {"max_steps": 8, "validate_every": 4, "patience": 0, "clip": 0.5}


def gaussian_module() -> ChoiceModule:
    """With belief noise, which has to be the same for an episode wherever it is."""
    return small_module(spread=True, objective=EvidenceLowerBound())


def default_module() -> ChoiceModule:
    """The default's encoder and scorer, which share maps and have a prior over weights; dropout, which every
    process draws for itself, is off."""
    L.seed_everything(0, verbose=False)
    encoder = TastePosterior(3, 4, units=8, components=5, dropout=0.0)
    parts = encoder, TasteReward(3, 4, units=8, dropout=0.0), BradleyTerryLuce()
    sizes: dict[str, Any] = {"num_samples": 4, "context_sizes": SIZES, "seed": 3, "num_choices": 400}
    return ChoiceModule(*parts, NegativeLogLikelihood(), AdamW(lr=0.02), **sizes)


MODULES: dict[str, Callable[[], ChoiceModule]] = {"gaussian": gaussian_module, "default": default_module}


def train(
    out: Path, cut_off_at: int | None = None, kind: str = "gaussian", **loop
) -> dict[str, torch.Tensor]:
    """What every process runs: the weights, and the best validation as `score`."""
    out.mkdir(parents=True, exist_ok=True)
    if cut_off_at is not None:
        with pytest.raises(CutOff):
            small_loop(**LOOP, **loop).fit(cut_off(MODULES[kind](), cut_off_at), small_data(), out)
    module = MODULES[kind]()
    outcome = small_loop(**LOOP, **loop).fit(module, small_data(), out, resume=cut_off_at is not None)
    return {**module.state_dict(), "score": torch.tensor(outcome["validation_nll"])}


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, torch.Tensor]]:
    """Weights after the same run in two processes on gloo, by strategy."""
    out = tmp_path_factory.mktemp("two")
    both(in_each, out)
    return torch.load(out / "weights.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("kind", list(MODULES))
def test_two_processes_take_the_steps_of_one(of_two: dict, tmp_path: Path, kind: str, strategy: str):
    assert_close(of_two[f"{kind}, {strategy}"], train(tmp_path, kind=kind), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_sharded_run_that_was_cut_off_and_resumed_is_the_same_to_the_bit(of_two: dict):
    assert_close(of_two["fsdp, cut off"], of_two["gaussian, fsdp"], atol=0, rtol=0)


@pytest.mark.parametrize("accumulate", [2, 4])
def test_a_step_is_the_same_in_any_number_of_batches(tmp_path: Path, accumulate: int):
    whole, parts = train(tmp_path / "whole"), train(tmp_path / "parts", accumulate=accumulate)
    assert_close(whole, parts, atol=1e-5, rtol=0)


def test_bf16_stays_near_and_keeps_weights_in_full_precision(tmp_path: Path):
    exact, rough = train(tmp_path / "exact"), train(tmp_path / "rough", precision="bf16-mixed")
    assert {value.dtype for value in rough.values()} == {torch.float32}
    assert not torch.equal(rough["scorer.taste.weight"], exact["scorer.taste.weight"])
    assert_close(rough["score"], exact["score"], atol=0.01, rtol=0)


def in_each(folder: Path) -> None:
    """What each of two processes does."""
    weights = {
        f"{kind}, {strategy}": train(folder / kind / strategy, kind=kind, devices=2, strategy=strategy)
        for kind in MODULES
        for strategy in ("ddp", "fsdp")
    }
    weights |= {
        "fsdp, cut off": train(folder / "cut", cut_off_at=6, devices=2, strategy="fsdp"),
    }
    if os.environ["RANK"] == "0":
        torch.save(weights, folder / "weights.pt")
