"""Leak tests: from choices that were dealt out at random nothing can be learned, on any kind of data.

A model that scores better than chance on such choices has seen what it was to predict. Each data set is also
trained on as it is, to show that this test would notice: there the same model is far above chance.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import fsa.recipes.evaluate as recipe
from fsa.reports.report import Row
from tests.factories.runs import CONFIG, ROOT, train_small

pytestmark = pytest.mark.slow

TEXT = {
    "features": "tests.factories.features.Hashed",
    "projection__num_components": 24,
    "loop__max_steps": 120,
    "loop__validate_every": 60,
    "loop__progress": False,
    "loop__accelerator": "cpu",
    "episodes__users_per_step": 32,
    "episodes__validation_episodes": 40,
    "optimizer__lr": 0.01,
}


def synthetic(folder: Path, shared: Path) -> dict:
    """Two types of people over one number."""
    return {
        "config": CONFIG,
        "source__choices_per_user": 25,
        "loop__max_steps": 120,
        "loop__validate_every": 60,
    }


def sandbox(folder: Path, shared: Path) -> dict:
    """Texts of known style; new users and new prompts to test."""
    size = {"source__num_prompts": 90, "source__num_users": 120, "source__choices_per_user": 60}
    longer = {"loop__max_steps": 240, "loop__validate_every": 120}
    return {"config": ROOT / "configs" / "reward" / "sandbox.yaml", **size, **TEXT, **longer}


def helpsteer2(folder: Path, shared: Path) -> dict:
    """Five simulated users over human ratings; new prompts to test."""
    path = shared / "data" / "helpsteer2"
    return {"config": ROOT / "configs" / "reward" / "helpsteer2.yaml", "source__path": path, **TEXT}


def one_prompt(folder: Path, shared: Path) -> dict:
    """A file of people who all answer one prompt about the same texts; new users to test."""
    draw = np.random.default_rng(0)
    texts = [" ".join(["word"] * int(n)) + f" {i}" for i, n in enumerate(draw.integers(1, 60, 80))]
    rows = []
    for user in range(150):
        for a, b in draw.permuted(np.tile(np.arange(80), (20, 1)), axis=1)[:, :2].tolist():
            wants_longer = user % 2 == 0
            rows.append(
                {
                    "user": f"u{user}",
                    "prompt": "Which do you like?",
                    "options": [texts[a], texts[b]],
                    "chosen": int((len(texts[b]) > len(texts[a])) == wants_longer),
                }
            )
    path = folder / "people.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"config": ROOT / "configs" / "reward" / "choices.yaml", "source__path": path, **TEXT}


DATA = [synthetic, sandbox, helpsteer2, one_prompt]


@pytest.fixture
def data(request: pytest.FixtureRequest, tmp_path: Path) -> dict:
    """Arguments of a small run on one of the data sets."""
    needs_files = request.param is helpsteer2
    settings: dict = request.param(tmp_path, request.getfixturevalue("shared") if needs_files else tmp_path)
    return settings


def after_ten_choices(run: Path) -> Row:
    """Accuracy over everybody after ten choices."""
    report = recipe.context_curve([str(run)], [10], episodes=150, trust_remote_code=True)
    (row,) = (row for row in report.rows if (row.group, row.metric) == ("all", "accuracy"))
    return row


def standard_errors_above_chance(row: Row) -> float:
    return (row.value - 0.5) / ((row.high - row.low) / (2 * 1.96))


@pytest.mark.parametrize("data", DATA, indirect=True, ids=lambda make: make.__name__)
def test_a_model_of_shuffled_choices_scores_chance(data, tmp_path):
    shuffled = after_ten_choices(train_small(tmp_path / "shuffled", shuffle_choices=True, **data))
    assert shuffled.n >= 500
    assert shuffled.high - shuffled.low < 0.15
    assert abs(standard_errors_above_chance(shuffled)) < 3
    true = after_ten_choices(train_small(tmp_path / "true", **data))
    assert standard_errors_above_chance(true) > 4
