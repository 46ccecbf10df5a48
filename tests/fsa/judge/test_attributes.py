"""Attributes."""

from pathlib import Path

import pytest

from fsa.errors import ConfigError
from fsa.judge.attributes import HELPSTEER2, MORAL_FOUNDATIONS, Attribute, attributes_from_yaml

ONE = "- {name: warmth, definition: how warm, high: it is warm, low: it is cold}\n"


def test_the_papers_sets_have_five_and_six() -> None:
    names = [attribute.name for attribute in HELPSTEER2]
    assert names == ["helpfulness", "correctness", "coherence", "complexity", "verbosity"]
    assert len({attribute.name for attribute in MORAL_FOUNDATIONS}) == 6


def test_a_users_own_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(ONE)
    wanted = Attribute("warmth", "how warm", "it is warm", "it is cold")
    assert attributes_from_yaml(tmp_path / "own.yaml") == (wanted,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must be a list of one attribute or more"),
        ("- {name: a, definition: b, high: c}", "attribute 1 must have .*missing or unknown: low"),
        ("- {name: a, definition: b, high: c, low: ''}", "attribute 1: attribute 'a': low must be a text"),
        (ONE + ONE, "'warmth' comes twice"),
        ("- 3", "attribute 1 must have name, definition, high, low, came 3"),
        (": [", "cannot be read"),
    ],
)
def test_bad_files_are_one_clear_error(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        attributes_from_yaml(tmp_path / "own.yaml")
