"""`train.reward` in two processes that torchrun starts, as on a cluster."""

import csv
import json
from itertools import chain
from pathlib import Path

import pytest

from fsa.outputs.reward_model import RewardModel
from tests.factories.torchrun import in_two

SMALL = {
    "--config": "configs/reward/synthetic.yaml",
    "--source.num_users": "200",
    "--loop.max_steps": "6",
    "--loop.validate_every": "3",
    "--loop.accelerator": "cpu",
    "--loop.devices": "2",
    "--loop.strategy": "fsdp",
    "--loop.average": "0",
    "--loop.progress": "false",
    "--episodes.users_per_step": "16",
    "--episodes.validation_episodes": "20",
}


@pytest.mark.slow
def test_two_processes_write_one_run(tmp_path: Path):
    out = tmp_path / "run"
    given = [*chain(*SMALL.items()), "--out", str(out)]
    said = in_two("train.reward", given, {"FSA_CACHE": str(tmp_path / "cache")}, ["--resume", str(out)])
    with (out / "metrics.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3", "6"]
    assert json.loads((out / "meta.json").read_text())["steps"] == 6
    assert " ".join(said.split()).count("best validation NLL") == 1  # one process talks
    person = RewardModel.from_pretrained(out).for_user([])
    assert person.score("", [(0.2,), (0.8,)]).reward.shape == (2,)
