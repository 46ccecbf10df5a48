import pytest
import torch
from safetensors.torch import save_file

from eval.resume_check import _run, _steps_of, largest_difference
from fsa.runs.claim import CHECKPOINTS
from fsa.runs.folder import WEIGHTS
from fsa.training.checkpoints import LAST


def run(folder, weight: float = 1.0, moment: float = 0.0, name: str = "w"):
    """A run folder with one weight and what its optimiser remembers of it."""
    (folder / CHECKPOINTS).mkdir(parents=True)
    tensors = {name: torch.tensor([weight])}
    save_file(tensors, folder / WEIGHTS)
    state = {"state": {0: {"exp_avg": torch.tensor([moment])}}}
    checkpoint = {"state_dict": tensors, "current_model_state": tensors, "optimizer_states": [state]}
    torch.save({**checkpoint, "global_step": 7}, folder / CHECKPOINTS / LAST)
    return folder


def test_every_tensor_of_a_run_is_compared(tmp_path):
    first = run(tmp_path / "a")
    assert largest_difference(first, run(tmp_path / "b")) == 0
    assert largest_difference(first, run(tmp_path / "c", weight=1.5)) == 0.5
    assert largest_difference(first, run(tmp_path / "d", moment=0.25)) == 0.25
    assert largest_difference(first, run(tmp_path / "e", name="v")) == float("inf")


def test_steps_are_those_of_the_last_checkpoint(tmp_path):
    assert _steps_of(run(tmp_path / "a") / CHECKPOINTS / LAST) == 7
    assert _steps_of(tmp_path / "nothing") == 0


def test_a_training_that_does_not_end_as_it_should_is_told():
    with pytest.raises(SystemExit, match="ended with 2 instead of 0"):
        _run(["--no-such-option", "1"])
