from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fsa.training.checkpoints import BEST, CHECKPOINTS, LAST, Checkpoints
from tests.factories.training import small_module


def test_checkpoints_fall_on_their_steps_and_on_validations(fit: Callable, monkeypatch: pytest.MonkeyPatch):
    written = []
    write = Checkpoints._write

    def note(self, trainer, name, **more):
        written.append((trainer.global_step, name))
        write(self, trainer, name, **more)

    monkeypatch.setattr(Checkpoints, "_write", note)
    fit(small_module(), checkpoint_every=3, accumulate=2, patience=0)
    assert [step for step, name in written if name == LAST] == [3, 4, 6, 8, 9, 12]
    assert {step for step, name in written if name == BEST} <= {4, 8, 12}


def test_checkpoints_hold_nothing_that_needs_pickle_and_the_best_no_optimiser(fit: Callable, tmp_path: Path):
    fit(small_module())
    folder = tmp_path / "run" / CHECKPOINTS
    last, best = (torch.load(folder / name, weights_only=True) for name in (LAST, BEST))
    assert last["optimizer_states"]
    assert "optimizer_states" not in best
    assert sorted(path.name for path in folder.iterdir()) == [BEST, LAST]
