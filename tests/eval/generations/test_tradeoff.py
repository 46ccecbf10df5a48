from dataclasses import replace

import pytest
from PIL import Image

from eval.generations.tradeoff import plot
from fsa.reports.frame import frame_of
from fsa.reports.row import Row


def row(method: str, group: str, metric: str, value: float) -> Row:
    return Row("d", method, group, {}, 8, metric, value, value - 0.1, value + 0.1, 24, 1)


ROWS = [
    row(method, group, metric, value)
    for method, group in [("NP", "all"), ("NP", "long"), ("dedicated", "long"), ("told", "all")]
    for metric, value in [("movement", 0.5), ("kl_per_answer", 1.0)]
]


@pytest.mark.parametrize(("rows", "panels"), [(ROWS, 2), (ROWS[:2], 1)])
def test_a_panel_for_all_and_one_for_each_group_with_a_dedicated_policy(tmp_path, rows, panels):
    assert plot(frame_of(rows), tmp_path / "p.png")
    width, height = Image.open(tmp_path / "p.png").size
    assert (width > 1.3 * height) == (panels == 2)


def test_nothing_is_drawn_where_no_method_has_both(tmp_path):
    others = [replace(one, method="other") for one in ROWS[1:2]]
    for rows in (ROWS[::2], ROWS[1::2], [ROWS[0], *others]):
        assert not plot(frame_of(rows), tmp_path / "p.png")
    assert not (tmp_path / "p.png").exists()
