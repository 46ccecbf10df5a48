import csv
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fsa.errors import ConfigError
from fsa.training.checkpoints import BEST, CHECKPOINTS, LAST
from fsa.training.loop import Loop
from fsa.training.metrics_csv import METRICS
from tests.factories.training import SIZES, small_module


def metrics(folder: Path) -> list[dict[str, str]]:
    with (folder / METRICS).open(newline="") as file:
        return list(csv.DictReader(file))


def test_metrics_have_a_line_for_every_validation(fit: Callable, tmp_path: Path):
    fit(small_module())
    rows = metrics(tmp_path / "run")
    assert [row["step"] for row in rows] == ["4", "8", "12"]
    names = ["nll", "accuracy", *(f"{name}_{size}" for name in ("nll", "accuracy") for size in SIZES)]
    assert set(rows[0]) == {"step", "train/loss", "train/nll", *(f"validation/{name}" for name in names)}
    assert all(float(value) >= 0 for row in rows for value in row.values())
    each = [float(rows[0][f"validation/nll_{size}"]) for size in SIZES]
    assert float(rows[0]["validation/nll"]) == pytest.approx(sum(each) / len(each), rel=1e-6)


def test_it_learns_what_two_types_of_users_like(fit: Callable, tmp_path: Path):
    fit(small_module(), max_steps=100, validate_every=20, patience=0)
    rows = metrics(tmp_path / "run")
    # Nats that three choices of a user save, which is nothing for a model that does not read them.
    assert float(rows[-1]["validation/nll_0"]) - float(rows[-1]["validation/nll_3"]) > 0.03


def test_the_weights_of_the_best_validation_are_left(fit: Callable, tmp_path: Path):
    module = small_module()
    module.optimizer.rate = lambda step, num_steps: 1.0 if step < 4 else 60.0  # which ruins what was learned
    outcome = fit(module, patience=0, clip=0)
    scores = {int(row["step"]): float(row["validation/nll"]) for row in metrics(tmp_path / "run")}
    assert outcome["best_step"] == min(scores, key=scores.__getitem__) < 12
    assert outcome["validation_nll"] == pytest.approx(min(scores.values()), rel=1e-6)
    folder = tmp_path / "run" / CHECKPOINTS
    best, last = (torch.load(folder / name, weights_only=True)["state_dict"] for name in (BEST, LAST))
    assert all(torch.equal(value, best[name]) for name, value in module.state_dict().items())
    assert any(not torch.equal(value, last[name]) for name, value in module.state_dict().items())


def test_it_stops_when_validations_no_longer_improve(fit: Callable):
    module = small_module()
    module.optimizer.lr = 0.0
    outcome = fit(module, patience=2, max_steps=100, validate_every=3)
    assert (outcome["steps"], outcome["best_step"]) == (9, 3)


def test_the_outcome_counts_steps_and_parameters(fit: Callable):
    module = small_module()
    outcome = fit(module, accumulate=2)
    assert outcome["steps"] == 12
    assert outcome["parameters"] == sum(p.numel() for p in module.parameters())


def test_nothing_is_warned_of(fit: Callable):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        fit(small_module())
        fit(small_module(), resume=True, max_steps=16)


@pytest.mark.parametrize("name", ["max_steps", "validate_every", "accumulate", "checkpoint_every"])
def test_numbers_below_one_are_refused(name: str):
    with pytest.raises(ConfigError, match=f"{name} is 0"):
        Loop(**{name: 0})
