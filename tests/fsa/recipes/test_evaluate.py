import pytest

from fsa.errors import ConfigError
from fsa.recipes.evaluate import context_curve


def test_sizes_are_measured_and_the_report_says_how(synthetic_run, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["evaluate", "--run", "a run"])
    report = context_curve([str(synthetic_run)], [0, 3], str(tmp_path / "eval"), episodes=20, max_targets=2)
    assert {row.context_size for row in report.rows} == {0, 3}
    assert report.about["split"] == "test"
    assert "'a run'" in report.about["command"]
    assert {"report.json", "report.md"} <= {path.name for path in (tmp_path / "eval").iterdir()}


def test_a_run_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="nowhere"):
        context_curve(["nowhere"])


def test_a_method_is_compared_with_another_choice_by_choice(synthetic_run, tmp_path):
    runs = [f"mine={synthetic_run}", f"theirs={synthetic_run}"]
    how = {"episodes": 20, "max_targets": 2, "against": "theirs"}
    report = context_curve(runs, [0, 3], str(tmp_path), **how)
    gains = [row for row in report.rows if row.metric == "gain_in_accuracy" and row.group == "all"]
    assert [(row.method, row.context_size) for row in gains] == [
        ("mine less theirs", 0),
        ("mine less theirs", 3),
    ]
    # A model is as good as itself, for certain: only pairs tell that.
    assert all(row.value == row.low == row.high == 0 for row in gains)
    with pytest.raises(ConfigError, match="nobody"):
        context_curve(runs, [0], str(tmp_path), **{**how, "against": "nobody"})
