"""The Moral Integrity Corpus."""

import csv
from pathlib import Path

import numpy as np
import pytest

from fsa.errors import ChoiceDataError
from fsa.judge.mic import COLUMNS, read_mic

CARE, NONE = "[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]", "[0, 0, 0, 0, 0, 0]"
ROWS = [
    ("q1", "a1", "2", CARE, "Be kind."),
    ("q1", "a1", "2", "[1, 1, 0, 0, 0, 0]", "Share"),
    ("q1", "a1", "0", CARE, "Hurt nobody."),
    ("q1", "a1", "2", CARE, "A fourth row does not count."),
    ("q1", "a2", "1", CARE, "Neutral."),
    ("q2", "only one", "2", CARE, "r"),
    ("q3", "a", "", CARE, "r"),
    ("q3", "b", "2", CARE, "r"),
]


def write(path: Path, rows: list[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])
    return path


def test_labels_by_hand(tmp_path: Path) -> None:
    (only,) = read_mic(write(tmp_path / "MIC.csv", ROWS))  # q2 has one answer, q3 an unknown agreement
    assert only.probe.responses == ("a1", "a2")
    # a1: care +1 +1 -1 = 1, so (3 + 1) / 6; fairness +1, so 4 / 6; a2 is neutral everywhere.
    wanted = [[4 / 6, 4 / 6, 0.5, 0.5, 0.5, 0.5], [0.5] * 6]
    np.testing.assert_allclose(only.labels.columns(only.labels.attributes), wanted)
    assert only.labels.reasoning is not None
    assert only.labels.reasoning[0][1] == "It agrees with this rule of fairness: Share."
    assert only.labels.reasoning[1][0] == "It is neutral about care."


def test_agreement_saved_as_a_decimal_is_read(tmp_path: Path) -> None:
    rows = [("q", "a", "2.0", CARE, "r"), ("q", "b", "0.0", CARE, "r")]
    (only,) = read_mic(write(tmp_path / "MIC.csv", rows))
    np.testing.assert_allclose(only.labels.column("care"), [4 / 6, 2 / 6])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("q", "a", "3", CARE, "r"), ":2: A_agrees must be 0, 1, 2 or empty, came '3'"),
        (("q", "a", "2", "[1, 0]", "r"), ":2: moral-vector must be six numbers 0 or 1"),
        (("q", "a", "2", "__import__('os')", "r"), ":2: moral-vector must be a list of six"),
    ],
)
def test_bad_values_name_line_and_field(tmp_path: Path, row: tuple[str, ...], said: str) -> None:
    with pytest.raises(ChoiceDataError, match=said):
        read_mic(write(tmp_path / "MIC.csv", [row]))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChoiceDataError, match="column 'rot' is missing"):
        read_mic(write(tmp_path / "MIC.csv", [("q", "a", "2", CARE)], COLUMNS[:4]))
