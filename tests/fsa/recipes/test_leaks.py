"""Leak test: choices dealt out at random teach nothing, in a file of people who all answer one prompt.

A model that scores better than chance on such choices has seen what it was to predict. The file is also
trained on as it is, to show that this test would notice: there the same model is far above chance. The data
sets of the suite are tested in the same way, in tests/eval/suite/test_work.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import fsa.recipes.evaluate as recipe
from fsa.reports.report import Row
from tests.factories.runs import ROOT, errors_from_chance, train_small

pytestmark = pytest.mark.slow

TEXT = {
    "features": "tests.factories.features.Hashed",
    "projection__num_components": 24,
    "loop__max_steps": 120,
    "loop__validate_every": 60,
    "loop__progress": False,
    "loop__accelerator": "cpu",
    "episodes__users_per_step": 32,
    "episodes__max_context": 10,
    "episodes__max_targets": 10,
    "episodes__validation_episodes": 40,
    "optimizer__lr": 0.01,
}


@pytest.fixture
def data(tmp_path: Path) -> dict:
    """A small run on a file where all answer one prompt about the same texts; new users to test."""
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
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"config": ROOT / "configs" / "reward" / "choices.yaml", "source__path": path, **TEXT}


def after_ten_choices(run: Path) -> Row:
    """Accuracy over everybody after ten choices."""
    report = recipe.context_curve([str(run)], [10], episodes=150, trust_remote_code=True)
    (row,) = (row for row in report.rows if (row.group, row.metric) == ("all", "accuracy"))
    return row


def test_a_model_of_shuffled_choices_scores_chance(data, tmp_path):
    shuffled = after_ten_choices(train_small(tmp_path / "shuffled", shuffle_choices=True, **data))
    assert shuffled.n >= 500
    assert shuffled.high - shuffled.low < 0.15
    assert abs(errors_from_chance(shuffled)) < 3
    true = after_ten_choices(train_small(tmp_path / "true", **data))
    assert errors_from_chance(true) > 4
