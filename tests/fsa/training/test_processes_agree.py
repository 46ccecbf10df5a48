"""Two processes, or more batches a step, take the steps that one would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from fsa.objectives.elbo import EvidenceLowerBound
from fsa.training.module import ChoiceModule
from tests.factories.training import CutOff, cut_off, small_data, small_loop, small_module

ROOT = Path(__file__).resolve().parents[3]
LOOP = {"max_steps": 8, "validate_every": 4, "patience": 0, "clip": 0.5}


def gaussian_module() -> ChoiceModule:
    """With belief noise, which has to be the same for an episode wherever it is."""
    return small_module(spread=True, objective=EvidenceLowerBound())


def train(out: Path, cut_off_at: int | None = None, **loop) -> dict[str, torch.Tensor]:
    """What every process runs: the weights, and the best validation as `score`."""
    out.mkdir(parents=True, exist_ok=True)
    if cut_off_at is not None:
        with pytest.raises(CutOff):
            small_loop(**LOOP, **loop).fit(cut_off(gaussian_module(), cut_off_at), small_data(), out)
    module = gaussian_module()
    outcome = small_loop(**LOOP, **loop).fit(module, small_data(), out, resume=cut_off_at is not None)
    return {**module.state_dict(), "score": torch.tensor(outcome["validation_nll"])}


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, torch.Tensor]]:
    """Weights after the same run in two processes on gloo, by strategy."""
    out = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    done = subprocess.run(
        [*command, "tests.fsa.training.test_processes_agree", str(out)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return torch.load(out / "weights.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_take_the_steps_of_one(of_two: dict, tmp_path: Path, strategy: str):
    assert_close(of_two[strategy], train(tmp_path), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_sharded_run_that_was_cut_off_and_resumed_is_the_same_to_the_bit(of_two: dict):
    assert_close(of_two["fsdp, cut off"], of_two["fsdp"], atol=0, rtol=0)


@pytest.mark.parametrize("accumulate", [2, 4])
def test_a_step_is_the_same_in_any_number_of_batches(tmp_path: Path, accumulate: int):
    whole, parts = train(tmp_path / "whole"), train(tmp_path / "parts", accumulate=accumulate)
    assert_close(whole, parts, atol=1e-5, rtol=0)


def test_bf16_stays_near_and_keeps_weights_in_full_precision(tmp_path: Path):
    exact, rough = train(tmp_path / "exact"), train(tmp_path / "rough", precision="bf16-mixed")
    assert {value.dtype for value in rough.values()} == {torch.float32}
    assert not torch.equal(rough["scorer.taste.weight"], exact["scorer.taste.weight"])
    assert_close(rough["score"], exact["score"], atol=0.01, rtol=0)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    weights = {
        "ddp": train(folder / "ddp", devices=2, strategy="ddp"),
        "fsdp": train(folder / "fsdp", devices=2, strategy="fsdp"),
        "fsdp, cut off": train(folder / "cut", cut_off_at=6, devices=2, strategy="fsdp"),
    }
    if os.environ["RANK"] == "0":
        torch.save(weights, folder / "weights.pt")
