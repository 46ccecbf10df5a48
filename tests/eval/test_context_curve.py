"""The report of a small synthetic model says what is known about it."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import fsa.recipes.evaluate as recipe
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.metrics.choice_accuracy import correctness
from fsa.recipes.measuring.bayes import BayesPredictor
from fsa.recipes.measuring.runs import Data, Settings
from fsa.reports.report import Report
from fsa.runs.folder import read_yaml
from tests.factories.runs import train_small

SIZES = [0, 3, 10]
FIELDS = [
    "data", "method", "group", "slice", "context_size", "metric", "value", "low", "high", "n", "seeds",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(synthetic_run, tmp_path_factory) -> Path:
    """The report of one run, made by the command line."""
    out: Path = tmp_path_factory.mktemp("report")
    command = [
        "--run",
        str(synthetic_run),
        "--context-sizes",
        "0,3,10",
        "--episodes",
        "120",
        "--out",
        str(out),
    ]
    run_recipe(recipe.context_curve, command, repeatable=["run"])
    return out


@pytest.fixture(scope="module")
def value(folder):
    """A number of the report by group, metric and context size."""
    found = {(row.group, row.metric, row.context_size): row for row in Report.load(folder).rows}
    return lambda group, metric, size: found[group, metric, size].value


def test_rows_have_exactly_the_fields_of_the_format(folder):
    rows = json.loads((folder / "report.json").read_text())["rows"]
    assert all(list(row) == FIELDS for row in rows)
    assert {row["data"] for row in rows} == {"synthetic"}
    assert {row["method"] for row in rows} == {"small"}
    assert all(row["slice"] == {} and row["seeds"] == 1 for row in rows)
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_every_metric_is_there_for_every_group_all_and_the_worst(folder):
    rows = Report.load(folder).rows
    metrics = ["accuracy", "nll", "flip_accuracy", "bayes_accuracy", "ece"]
    wanted = [
        (group, size, metric)
        for size in SIZES
        for group in ("all", "larger", "central", "worst")
        for metric in metrics
    ]
    assert [(row.group, row.context_size, row.metric) for row in rows] == wanted


def test_the_worst_is_the_worst_group_at_each_size(value):
    for size in SIZES:
        for metric, worst in (("accuracy", min), ("bayes_accuracy", min), ("nll", max), ("ece", max)):
            groups = [value(group, metric, size) for group in ("larger", "central")]
            assert value("worst", metric, size) == worst(groups)


def test_all_is_the_mean_of_twins(value):
    for size in SIZES:
        groups = [value(group, "accuracy", size) for group in ("larger", "central")]
        assert value("all", "accuracy", size) == pytest.approx(np.mean(groups))


def test_every_size_is_measured_on_the_same_choices(folder):
    counted = {(row.group, row.n) for row in Report.load(folder).rows if row.group != "worst"}
    assert len(counted) == 3  # one n a group, whatever the size


def test_bayes_accuracy_is_that_of_the_truth(synthetic_run, value):
    config = read_yaml(synthetic_run / "config.yaml")
    at = Data.of(config, Settings(SIZES, "test", 120, 20, 1))
    exists = at.episodes.target >= 0
    places = at.table.place[at.table.option_offsets[at.episodes.target[exists]][:, None] + np.arange(2)]
    for size in SIZES:
        context = at.episodes.with_context(size).context
        best = BayesPredictor(at.truth, at.table).predict(context, at.episodes.target)[exists]
        assert value("all", "bayes_accuracy", size) == pytest.approx(correctness(best, places).mean())
        # In expectation 1 - 2^-n / 4; a hundred episodes of these users come near.
        assert value("all", "bayes_accuracy", size) == pytest.approx(1 - 2.0**-size / 4, abs=0.03)


def test_the_model_follows_the_choices(value):
    for size in SIZES:
        assert value("all", "accuracy", size) > value("all", "bayes_accuracy", size) - 0.06
    assert value("worst", "accuracy", 10) > 0.93


def test_reversed_choices_turn_the_answer_over(value):
    # Whoever chose the opposite throughout is nobody of the two types; a taste that is a direction follows
    # them all the same, also where the types agree.
    assert value("all", "flip_accuracy", 0) == value("all", "accuracy", 0)
    assert value("all", "flip_accuracy", 10) < 0.6
    assert value("all", "accuracy", 10) - value("all", "flip_accuracy", 10) > 0.35


def test_the_report_is_a_folder_with_a_picture(folder):
    names = {path.name for path in folder.iterdir()}
    assert {"report.json", "report.md", "accuracy.png", "nll.png", "flip_accuracy.png"} <= names
    about = Report.load(folder).about
    assert about["split"] == "test"
    counts = about["counts"]["synthetic"]
    assert counts == counts | {"episodes": 120, "context shorter than asked": 0, "people": 22}
    assert counts["seen"] == {str(size): float(size) for size in SIZES}


def report_of(tmp_path: Path, *run: str, **more: object) -> list:
    options = {"context_sizes": [0, 3], "episodes": 60, "out": str(tmp_path / "report")} | more
    return list(recipe.context_curve(list(run), **options).rows)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Folders of shorter runs: two seeds of a pooled model, and one dedicated model for each type."""
    folder: Path = tmp_path_factory.mktemp("runs")
    short = {"loop__max_steps": 20, "loop__validate_every": 10}
    for seed in (0, 1):
        train_small(folder / f"pooled-{seed}", "pooled", seed=seed, **short)
    for group in ("larger", "central"):
        train_small(folder / f"dedicated-{group}", "pooled", "dedicated", only_group=group, **short)
    return folder


@pytest.mark.slow
def test_folders_of_a_glob_are_the_seeds_of_one_method(runs, tmp_path):
    rows = report_of(tmp_path, f"{runs}/pooled-*")
    assert {(row.method, row.seeds) for row in rows} == {("pooled", 2)}
    alone = [report_of(tmp_path, f"{runs}/pooled-{seed}") for seed in (0, 1)]
    for together, first, second in zip(rows, *alone, strict=True):
        if together.group == "all" and together.metric != "ece":
            assert together.value == pytest.approx((first.value + second.value) / 2)
            assert together.n == first.n == second.n
    for row in rows:  # a pooled model reads no choices
        if row.metric == "flip_accuracy":
            of_accuracy = next(r for r in rows if r.key == (*row.key[:2], "accuracy", *row.key[3:]))
            assert row.value == of_accuracy.value


@pytest.mark.slow
def test_dedicated_models_cover_their_own_groups_and_make_one_method(runs, tmp_path):
    one = report_of(tmp_path, f"{runs}/dedicated-larger")
    assert {row.group for row in one} == {"larger"}  # half of the people are not all
    together = report_of(tmp_path, f"oracle={runs}/dedicated-*")
    assert {row.method for row in together} == {"oracle"}
    assert {row.seeds for row in together} == {1}
    assert {row.group for row in together} == {"all", "larger", "central", "worst"}
    of_larger = [row for row in together if row.group == "larger"]
    assert [row.value for row in of_larger] == [row.value for row in one]
    # Each is measured on its own half.
    n = {row.group: row.n for row in together}
    assert n["larger"] + n["central"] == n["all"] == 60 * 20


@pytest.mark.slow
def test_methods_stand_beside_each_other_with_their_names(runs, synthetic_run, tmp_path):
    rows = report_of(tmp_path, str(synthetic_run), f"flat={runs}/pooled-0")
    assert list(dict.fromkeys(row.method for row in rows)) == ["small", "flat"]
    bayes = [
        [row.value for row in rows if row.method == method and row.metric == "bayes_accuracy"]
        for method in ("small", "flat")
    ]
    assert bayes[0] == bayes[1]


def test_the_report_goes_into_the_run_where_no_other_place_is_named(synthetic_run, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["context_curve", "--run", "runs/a *"])
    report = recipe.context_curve([str(synthetic_run)], [0], episodes=20)
    assert (synthetic_run / "eval" / "report.json").is_file()
    assert report.about["command"] == "python -m eval.context_curve --run 'runs/a *'"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run": ["nowhere"]}, "--run nowhere: no run folder there"),
        ({"run": []}, "--run is missing"),
        ({"context_sizes": [-1]}, "context_sizes must be"),
        ({"context_sizes": []}, "context_sizes must be"),
        ({"split": "dev"}, "split must be one of train, validation, test, came 'dev'"),
    ],
)
def test_what_cannot_be_measured_is_said_before_any_work(synthetic_run, changes, said):
    with pytest.raises(ConfigError, match=said):
        recipe.context_curve(**({"run": [str(synthetic_run)]} | changes))


def test_two_methods_of_one_name_are_refused(synthetic_run):
    with pytest.raises(ConfigError, match="another method is called small too"):
        recipe.context_curve([str(synthetic_run), f"small={synthetic_run}"])
