"""The one default: one preset, whatever names it."""

from pathlib import Path

import yaml

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "reward"


def test_the_preset_for_a_file_of_choices_is_the_default_and_a_source():
    default, choices = (
        yaml.safe_load((CONFIGS / name).read_text()) for name in ("default.yaml", "choices.yaml")
    )
    assert {slot: part for slot, part in choices.items() if slot not in ("source", "splits")} == default
    assert len(default) >= 8
