"""A suite that takes seconds: synthetic people, two methods, few steps."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from eval.suite.plan import Plan
from fsa.models.scorer import Scorer
from fsa.recipes.measuring.runs import Settings
from fsa.types import Belief, ChoiceBatch
from tests.factories.runs import ROOT

SUITE = ROOT / "configs" / "suite"
STEPS = {"loop.max_steps": 60, "loop.validate_every": 60, "episodes.validation_episodes": 40}
SYNTHETIC: dict[str, Any] = {
    "config": [str(SUITE / "data" / "synthetic.yaml")],
    "set": {"source.num_users": 200, "source.choices_per_user": 30, "optimizer.lr": 0.03, **STEPS},
}
SANDBOX: dict[str, Any] = {
    "config": [str(SUITE / "data" / "sandbox.yaml")],
    "set": {
        "source.num_prompts": 60,
        "source.num_users": 60,
        "source.choices_per_user": 50,
        "features": "tests.factories.features.Hashed",
        "projection.num_components": 16,
        **STEPS,
    },
}
METHODS: dict[str, Any] = {
    "NP-BTL": {"config": [str(SUITE / "method" / "particles.yaml")]},
    "pooled": {"config": [str(ROOT / "configs" / "baseline" / "pooled.yaml")]},
    "dedicated": {
        "config": [str(ROOT / "configs" / "baseline" / name) for name in ("pooled.yaml", "dedicated.yaml")],
        "dedicated": True,
        "set": {"loop.max_steps": 60, "loop.validate_every": 60},
    },
}
SETTINGS = Settings([0, 3], "test", episodes=30, max_targets=5, seed=1, trust_remote_code=True)


class Broken(Scorer):
    """A method that does not work."""

    def __init__(self, d_feature: int, d_belief: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, choices: ChoiceBatch, z: torch.Tensor, belief: Belief) -> torch.Tensor:
        raise RuntimeError("this method\nis broken")


def plan_of(
    datasets: dict[str, Any] | None = None, methods: dict[str, Any] | None = None, **more: Any
) -> Plan:
    """The suite of these, or of synthetic people and all three methods."""
    given = {"seeds": [0], "settings": SETTINGS, "folders": {}} | more
    return Plan.of(datasets or {"synthetic": SYNTHETIC}, methods or METHODS, **given)


def folder_of(plan: Plan, name: str, out: Path) -> Path:
    """The folder of the cell of this name."""
    (cell,) = plan.cells(name)
    return cell.folder(out)
