"""Alignment targets."""

import json
from pathlib import Path
from typing import Any

import pytest

from fsa.errors import ConfigError
from fsa.judge.target import LEVELS, AlignmentTarget

NAMES = ("a", "b", "c")


def test_high_and_low() -> None:
    assert dict(AlignmentTarget.high(NAMES).levels) == {"a": 1, "b": 1, "c": 1}
    assert dict(AlignmentTarget.low(NAMES).levels) == {"a": 0, "b": 0, "c": 0}


def test_json_gives_the_same_target_back(tmp_path: Path) -> None:
    target = AlignmentTarget({"a": 0.25, "b": 1}, {"a": 2.0}, {"b"})
    (tmp_path / "t.json").write_text(json.dumps(target.to_json()))
    assert AlignmentTarget.from_file(tmp_path / "t.json") == target
    assert target.name == "a 0.25 (weight 2), b >= 1"


def test_levels_alone_are_a_target() -> None:
    assert AlignmentTarget.from_json({"a": 0.5}) == AlignmentTarget({"a": 0.5})


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({}, "levels must name one attribute or more"),
        ({"a": 1.5}, "levels: a must be a number from 0 to 1, came 1.5"),
        ({"a": "high"}, "levels: a must be a number from 0 to 1, came 'high'"),
        ({"a": True}, "levels: a must be a number from 0 to 1, came True"),
        ({"a": float("nan")}, "levels: a must be a number from 0 to 1"),
        ({"levels": {"a": 1}, "weights": {"b": 1}}, "weights names 'b', which has no level"),
        ({"levels": {"a": 1}, "weights": {"a": 0}}, "weights: a must be a number > 0, came 0"),
        ({"levels": {"a": 1}, "at_least": ["b"]}, "at_least names 'b', which has no level"),
        ({"levels": {"a": 1}, "at_least": "a"}, "at_least must be a list"),
        ({"levels": {"a": 1}, "wieghts": {}}, "has 'wieghts'; it may have levels, weights and at_least"),
        ([1], "must be an object"),
        ({"a": 10**400}, "levels: a must be a number from 0 to 1"),
        ({"levels": {"a": 1}, "weights": {"a": 10**400}}, "weights: a must be a number > 0"),
        ({"levels": {"a": 1}, "at_least": [{"a": 1}]}, "at_least names {'a': 1}, which has no level"),
    ],
)
def test_bad_targets_are_one_clear_error(stored: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=f"t.json: .*{said}"):
        AlignmentTarget.from_json(stored, "t.json")


def test_an_unknown_attribute_names_what_is_known() -> None:
    with pytest.raises(ConfigError, match="target names 'd'; the attributes are a, b, c"):
        AlignmentTarget({"d": 1}).check(NAMES)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_samples_are_different_seeded_and_on_levels(size: int) -> None:
    found = AlignmentTarget.sampled(NAMES, size, 12, seed=3)
    assert len(found) == len({target.name for target in found}) == 12
    assert all(len(target.levels) == size for target in found)
    assert {level for target in found for level in target.levels.values()} <= set(LEVELS)
    assert AlignmentTarget.sampled(NAMES, size, 5, seed=3) == found[:5]
    assert AlignmentTarget.sampled(NAMES, size, 12, seed=4) != found


def test_no_more_samples_than_there_are_targets() -> None:
    assert len(AlignmentTarget.sampled(NAMES, 1, 100)) == 15  # 3 attributes, 5 levels
    with pytest.raises(ConfigError, match="size must be from 1 to 3"):
        AlignmentTarget.sampled(NAMES, 4, 1)


def test_a_target_cannot_be_changed() -> None:
    levels = {"a": 0.5}
    target = AlignmentTarget(levels)
    levels["a"] = 1.0
    assert target.levels["a"] == 0.5
    with pytest.raises(TypeError):
        target.levels["a"] = 1.0  # type: ignore[index]
