"""A whole suite in small: what it writes, what it does again, and what it does when a method fails."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from eval.suite.cells import CELL, CONFLICTS, PREDICTIONS, RUN, SUITE, Asked, write_suite
from eval.suite.plan import Plan
from eval.suite.timing import timing_pass
from eval.suite.workers import Progress, accuracy_of, run_cells
from fsa.outputs.reward_model import RewardModel
from fsa.runs.folder import read_json
from tests.factories.suite import METHODS, SYNTHETIC, folder_of, plan_of

BROKEN = {"config": [], "set": {"scorer": "tests.factories.suite.Broken"}}


def run(plan: Plan, out: Path, only: str = "*") -> tuple[Progress, str]:
    """Do a suite's cells; gives what it printed as well."""
    cells, printed = plan.cells(), io.StringIO()
    progress = Progress(
        cells, plan.cells(only), out, lambda status: write_suite(out, {"name": "test"}, cells, status)
    )
    run_cells(plan, out, progress, 1, Console(file=printed, width=200))
    return progress, printed.getvalue()


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of({"synthetic": SYNTHETIC | {"conflicts": [4]}}, {**METHODS, "broken": BROKEN})


@pytest.fixture(scope="module")
def done(plan, tmp_path_factory) -> tuple[Path, Progress, str]:
    out = tmp_path_factory.mktemp("suite")
    return out, *run(plan, out)


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


def test_what_a_killed_cell_left_is_not_taken_for_a_cell(done, plan, tmp_path):
    (cell,) = plan.cells("*/pooled/0")
    unfinished = cell.start(tmp_path)
    (unfinished / CELL).write_text("{}")
    assert not cell.is_done(tmp_path)
    cell.finish(tmp_path, cell.start(tmp_path))  # clears what was left
    assert list(cell.folder(tmp_path).parent.iterdir()) == [cell.folder(tmp_path)]


def test_all_methods_are_asked_the_same_in_the_same_order(done, plan):
    asked = {name: Asked.open(folder_of(plan, f"*/{name}/0", done[0]) / PREDICTIONS) for name in METHODS}
    ours = asked["NP-BTL"]
    for other in asked.values():
        for field in ("row", "user", "prompt", "group", "bayes_correct"):
            assert (getattr(other.predictions, field) == getattr(ours.predictions, field)).all()
        assert all((other.labels[name] == ours.labels[name]).all() for name in ("size", "where"))
    assert np.unique(ours.labels["size"]).tolist() == [0, 3]


def test_who_reads_choices_gains_by_them_and_who_knows_the_group_needs_none(done, plan):
    found = {}
    for name in METHODS:
        asked = Asked.open(folder_of(plan, f"*/{name}/0", done[0]) / PREDICTIONS)
        size = asked.labels["size"]
        found[name] = [asked.predictions.correct[size == n].mean() for n in (0, 3)]
    assert found["NP-BTL"][1] > found["NP-BTL"][0] + 0.05
    assert found["pooled"][1] == found["pooled"][0]
    assert found["dedicated"][0] == found["dedicated"][1] > found["pooled"][0] + 0.1


def test_a_cell_says_what_its_page_needs_and_keeps_a_run_that_opens(done, plan):
    folder = folder_of(plan, "*/dedicated/0", done[0])
    about = read_json(folder / CELL)
    assert about["dedicated"]
    assert about["groups"] == ["larger", "central"]
    assert about["parameters"] > 10
    assert about["seconds"]["train"] > 0
    assert about["config"]["seed"] == 0
    assert sorted(path.name for path in (folder / RUN).iterdir()) == ["central", "larger"]
    assert RewardModel.from_pretrained(folder / RUN / "larger").config["d_belief"] == 16


def test_accuracy_by_the_share_of_conflicting_choices_is_there_too(done, plan):
    asked = Asked.open(folder_of(plan, "*/NP-BTL/0", done[0]) / CONFLICTS)
    assert sorted({round(float(share), 2) for share in asked.labels["share"]}) == [0, 0.25, 0.5, 0.75, 1]
    assert set(asked.labels["size"].tolist()) == {4}


def test_a_timing_pass_adds_to_what_is_there(done, plan):
    timing_pass(plan, done[0], plan.cells(), "synthetic", Console(file=io.StringIO()), repetitions=3)
    about = read_json(folder_of(plan, "*/pooled/0", done[0]) / CELL)
    assert about["timing"]["adapt_ms"] > 0
    assert about["timing"]["train_alone"] > 0
    assert (about["timing"]["n"], about["method"]) == (3, "pooled")
    assert not (done[0] / "timing").exists()


def test_the_accuracy_shown_is_that_after_the_most_choices(done, plan):
    folder = folder_of(plan, "*/NP-BTL/0", done[0])
    asked = Asked.open(folder / PREDICTIONS)
    assert accuracy_of(folder) == pytest.approx(asked.predictions.correct[asked.labels["size"] == 3].mean())
    assert f"{100 * accuracy_of(folder):.1f}" in done[1]._in_short("synthetic", "NP-BTL")
