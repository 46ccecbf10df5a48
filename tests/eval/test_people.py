"""Real people's choices: every person tested once, beside one model for all people."""

import json

import numpy as np
import pytest

from eval.people import people
from fsa.errors import ConfigError


def test_a_folder_without_choices_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"--data .*: 0 files of choices \(\*\.jsonl\.gz, \*\.jsonl\)"):
        people(str(tmp_path))


def test_a_rival_that_is_none_is_named(tmp_path):
    (tmp_path / "some.jsonl").write_text("")
    with pytest.raises(ConfigError, match=r"no baseline is called so; there are .*gpo, .*vpl"):
        people(str(tmp_path), rivals=["vlp"])


@pytest.mark.slow
def test_every_person_is_tested_once_and_their_choices_help(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    lines = [
        {"user": f"u{u}", "prompt": f"p{i}", "options": pair.tolist()}
        | {"chosen": int((pair[:, 0] * (-1) ** u + rng.gumbel(size=2) / 3).argmax())}
        for u in range(60)
        for i, pair in enumerate(np.round(rng.normal(size=(14, 2, 2)), 3))
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "made_up.jsonl").write_text("\n".join(map(json.dumps, lines)))
    quick = tmp_path / "quick.yaml"
    loop = "{max_steps: 100, validate_every: 50, progress: false}"
    episodes = "{validation_episodes: 60, users_per_step: 24, max_targets: 10}"
    quick.write_text(f"loop: {loop}\nepisodes: {episodes}")
    presets, out = ["reward/default", str(quick)], tmp_path / "out"
    report = people(str(tmp_path / "data"), 2, presets, ["own_btl"], str(out))
    found = {
        (row.method, row.context_size): row
        for row in report.rows
        if row.metric == "accuracy" and row.group == "all" and row.data == "made_up"
    }
    ours, pooled = found["personal", 10], found["one model for everybody", 0]
    assert ours.value > 0.8 > 0.6 > pooled.value  # opposite tastes: one model for all is at chance
    # A reward of the person's own choices alone knows less than ours, and both were asked the same.
    assert 0.6 < found["own_btl", 10].value < ours.value
    lead = next(
        row
        for row in report.rows
        if row.method == "personal less own_btl"
        and row.key[2] == "gain_in_accuracy"
        and row.context_size == 10
        and row.group == "all"
    )
    assert lead.value == pytest.approx(ours.value - found["own_btl", 10].value)
    counts = {row.metric: row.value for row in report.rows if row.context_size == 10 and row.group == "all"}
    assert counts["people"] == 60
    assert 0 < counts["distinct_choices"] <= 60 * 14
    assert {int(part.name) for part in (tmp_path / "out" / "made_up").iterdir() if part.name.isdigit()} == {
        0,
        1,
    }
