"""Run folders of commit 1481ad7 open, and say what they said (`tests/data/old_runs/README.md`)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fsa.outputs.loading import load

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("tests/data/old_runs")  # from the root: the runs' backbone is named so
TEXTS = [f"w{i} w{i + 1} w{2 * i % 60}" for i in range(12)]
CHOICES = [{"prompt": TEXTS[i], "chosen": TEXTS[i + 4] + " w9", "rejected": TEXTS[i + 1]} for i in range(5)]
NUMBERS = [{"options": [0.1 * i, 0.9 - 0.15 * i], "chosen": i % 2} for i in range(5)]
ON_TEXTS = (CHOICES, TEXTS[9], TEXTS[:3])
# Choices, prompt, options, and how far a score may be off: single precision in a language model.
ASKED: dict[str, tuple[list[dict[str, Any]], str, list[Any], float]] = {
    "numbers": (NUMBERS, "", [0.1, 0.45, 0.8], 1e-9),
    "text": (*ON_TEXTS, 1e-5),
    "reward_lm": (*ON_TEXTS, 1e-5),
    "policy": (*ON_TEXTS, 1e-5),
}


@pytest.mark.parametrize("name", ASKED)
def test_an_old_run_says_what_it_said(name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FSA_CACHE", str(tmp_path))
    choices, prompt, options, tolerance = ASKED[name]
    model = load(FOLDER / name)
    people = model.for_users([[], choices])
    found = model.score_batch(people, [prompt] * 2, [options] * 2)
    wanted = json.loads((FOLDER / "scores.json").read_text("utf-8"))[name]
    rewards = [one.reward for one in found]
    np.testing.assert_allclose(rewards, wanted["reward"], rtol=0, atol=tolerance)
    assert [one.stderr for one in found] == wanted["stderr"]
    prefers = people[1].prefers(prompt, options[0], options[1])
    assert prefers == pytest.approx(wanted["prefers"], rel=0, abs=tolerance)
    assert np.abs(rewards[0] - rewards[1]).max() > 1e-3  # the choices count
