"""Each figure of the bench at a tiny size; how fast anything is depends on the machine and is not asked."""

import pytest

import eval.bench.__main__ as recipe
from eval.bench.figures import Figure
from fsa.cli.recipes import run_recipe
from fsa.reports.report import Report
from tests.fsa.conftest import bert, own_cache, tokenizer

__all__ = ["bert", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")


def test_the_report_is_written_and_strict_ends_with_a_status(tmp_path, monkeypatch):
    for name in (
        "loader_speedup",
        "loader_wait",
        "large_table",
        "score_overhead",
        "default_cost",
        "question_speed",
        "fit_cost",
        "reading_speed",
        "policy_against_trl",
    ):
        figure = Figure(name, name, [1.0, 3.0], at_most=1.5 if name == "loader_wait" else None)
        monkeypatch.setattr(recipe, name, lambda *_, figure=figure, **__: [figure])
    run_recipe(recipe.bench, ["--out", str(tmp_path)])
    report = Report.load(tmp_path)
    assert [(row.metric, row.value, row.n) for row in report.rows][:1] == [("loader_speedup", 2.0, 2)]
    assert report.about["ranges"]["loader_wait"] == [1.0, 3.0]
    with pytest.raises(SystemExit, match="limits missed: loader_wait"):
        run_recipe(recipe.bench, ["--out", str(tmp_path), "--strict", "true"])
