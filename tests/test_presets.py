"""The one default: one preset, whatever names it."""

from pathlib import Path

import pytest
import yaml

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
OF_THE_DATA = ("source", "splits")


@pytest.mark.parametrize(
    "name",
    ["reward/choices", "reward/sandbox", "reward/helpsteer2", "reward/synthetic", "policy/encoder"],
)
def test_a_preset_of_ours_is_the_default_and_a_source(name):
    default, preset = (
        yaml.safe_load((CONFIGS / f"{each}.yaml").read_text()) for each in ("reward/default", name)
    )
    assert {slot: part for slot, part in preset.items() if slot not in OF_THE_DATA} == default
    assert len(default) >= 8


@pytest.mark.parametrize("name", ["full", "small", "hub"])
def test_the_suite_means_the_default_by_our_name(name):
    suite = yaml.safe_load((CONFIGS / "suite" / f"{name}.yaml").read_text())
    assert suite["methods"]["NP-BTL"]["config"] == ["configs/reward/default.yaml"]
