from pathlib import Path

import pytest

from fsa.choices.splits import Splitter
from fsa.errors import ConfigError
from fsa.recipes.configured import configured, parts_of, preset, presets


def add(config: dict, first: int, second: float = 0.5) -> float:
    return first + second


def plain(first: int = 1) -> int:
    return first


def test_files_come_before_options_and_later_files_before_earlier_ones(tmp_path):
    (tmp_path / "a.yaml").write_text("first: 1\nsecond: 2.0\n")
    (tmp_path / "b.yaml").write_text("first: 3\n")
    given = configured(add, ["--config", str(tmp_path / "a.yaml"), "--config", str(tmp_path / "b.yaml")])
    assert (given["first"], given["second"]) == (3, 2.0)
    given = configured(add, ["--config", str(tmp_path / "a.yaml"), "--second", "7"])
    assert given == {"config": {"first": 1, "second": 7.0}, "first": 1, "second": 7.0}


def test_a_recipe_that_takes_no_configuration_gets_none():
    assert configured(plain, ["--first", "2"]) == {"first": 2}


def test_a_preset_is_found_by_its_name_with_or_without_its_ending():
    wanted = presets() / "reward" / "choices.yaml"
    assert wanted.is_file()
    for name in ("reward/choices", "reward/choices.yaml", "configs/reward/choices.yaml"):
        assert preset(name).samefile(wanted)
    assert preset("reward/nothing") == Path("reward/nothing")


def test_parts_come_out_of_a_configuration_that_says_nothing_else():
    kinds = {"splits": Splitter, "most": int | None}
    parts = parts_of({"splits": {"by": "user"}}, kinds, "a.yaml")
    assert (parts["splits"].by, parts["most"]) == ("user", None)
    for bad in ({"splits": {"by": 7}}, {"other": 1}, {"most": "many"}):
        with pytest.raises(ConfigError, match=r"^a\.yaml: "):
            parts_of(bad, kinds, "a.yaml")
