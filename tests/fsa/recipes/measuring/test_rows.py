from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.rows import rows_of


def predictions(correct: list[float], group: list[int]) -> Predictions:
    n = np.arange(len(correct))
    right = np.array(correct)
    even, unknown = np.full(len(n), 0.9), np.full(len(n), np.nan)
    return Predictions(n, n, n, np.array(group), right, 1 - right, even, right, unknown)


def rows(correct: list[float], group: list[int], names: list[str]) -> dict[tuple[str, str], float]:
    table = SimpleNamespace(groups=pa.array(names), prompt=np.arange(len(correct)))
    at: Any = SimpleNamespace(name="d", table=table, groups=np.arange(len(names)), fixed_users=False)
    found = rows_of(predictions(correct, group), np.zeros(len(correct), int), at, "m", 3)
    assert {(row.data, row.method, row.context_size) for row in found} == {("d", "m", 3)}
    return {(row.group, row.metric): row.value for row in found}


def test_all_each_group_and_the_worst():
    found = rows([1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1], ["odd", "even"])
    assert found["all", "accuracy"] == pytest.approx(3 / 6)
    assert found["odd", "accuracy"] == pytest.approx(2 / 3)
    assert found["even", "accuracy"] == found["worst", "accuracy"] == pytest.approx(1 / 3)
    assert found["worst", "nll"] == pytest.approx(2 / 3)  # the largest
    assert ("all", "bayes_accuracy") not in found


def test_a_group_alone_is_no_all():
    found = rows([1, 0], [1, 1], ["odd", "even"])
    assert {group for group, _ in found} == {"even"}


def test_ties_count_for_nll_alone():
    found = rows([1, np.nan, 0], [0, 0, 0], [""])
    assert found["all", "accuracy"] == 0.5
