import pytest

from eval.suite.cells import CELL, PREDICTIONS, SUITE, SavedPredictions
from eval.suite.workers import Progress, accuracy_of
from fsa.runs.folder import read_json
from tests.factories.suite import METHODS, folder_of
from tests.factories.suite_runs import run


def test_a_method_that_fails_is_recorded_and_the_others_go_on(done):
    out, progress, printed = done
    assert progress.failed == {"synthetic/broken/0": "RuntimeError: this method is broken"}
    said = {cell["method"]: (cell["status"], cell["error"]) for cell in read_json(out / SUITE)["cells"]}
    assert said["broken"] == ("failed", "RuntimeError: this method is broken")
    assert [said[name][0] for name in METHODS] == ["done"] * 3
    assert "4/4 synthetic/broken/0: failed: RuntimeError" in printed
    assert "is broken" in (out / "errors" / "synthetic - broken - 0.txt").read_text("utf-8")


def test_a_suite_goes_on_where_it_was_and_does_nothing_twice(done, plan):
    out, *_ = done
    written = {path: path.stat().st_mtime_ns for path in out.rglob(CELL)}
    assert len(written) == 3
    progress, _ = run(plan, out, "*/NP-BTL/*")
    assert progress.to_do == []
    assert [cell.method for cell in Progress(plan.cells(), plan.cells(), out, print).to_do] == ["broken"]
    assert {path: path.stat().st_mtime_ns for path in out.rglob(CELL)} == written


def test_the_accuracy_shown_is_that_after_the_most_choices(done, plan):
    folder = folder_of(plan, "*/NP-BTL/0", done[0])
    asked = SavedPredictions.open(folder / PREDICTIONS)
    assert accuracy_of(folder) == pytest.approx(asked.predictions.correct[asked.labels["size"] == 3].mean())
    assert f"{100 * accuracy_of(folder):.1f}" in done[1]._in_short("synthetic", "NP-BTL")
