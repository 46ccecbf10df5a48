import io
import json
import re

import pytest
from matplotlib.image import imread
from rich.console import Console

from fsa.errors import ConfigError
from fsa.reports.frame import frame_of
from fsa.reports.report import Report, Row
from fsa.reports.tables import tables


def row(value=0.727, **changes):
    given = {
        "data": "sandbox", "method": "NP-BTL", "group": "all", "slice": {}, "context_size": 3,
        "metric": "accuracy", "value": value, "low": None, "high": None, "n": 1200, "seeds": 3,
    }  # fmt: skip
    return Row(**(given | changes))


def curve(**changes):
    return [row(0.5 + size / 50, low=0.49, high=0.8, context_size=size, **changes) for size in (0, 1, 3, 10)]


def unpadded(text):
    """Markdown without the spaces that line its columns up."""
    return re.sub(" +", " ", text)


def printed(report, **options):
    console = Console(width=120, record=True, file=io.StringIO())
    report.print_tables(console, **options)
    return console.export_text()


def test_json_has_exactly_the_documented_fields(tmp_path):
    Report([row()], {"command": "make demo"}).save(tmp_path)
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored["about"] == {"command": "make demo"}
    assert list(stored["rows"][0]) == [
        "data", "method", "group", "slice", "context_size", "metric", "value", "low", "high", "n", "seeds",
    ]  # fmt: skip


def test_a_saved_report_comes_back(tmp_path):
    report = Report(
        [row(low=0.719, high=0.734), row(slice={"length_matched": True}, metric="nll")], {"date": "today"}
    )
    assert Report.load(report.save(tmp_path)) == report
    assert Report.load(tmp_path / "report.json") == report


def test_what_is_not_a_number_is_null_in_json_and_a_dash_in_tables(tmp_path):
    report = Report([row(float("nan"), low=float("nan"), high=float("inf"))])
    stored = json.loads(report.save(tmp_path).joinpath("report.json").read_text())["rows"][0]
    assert (stored["value"], stored["low"], stored["high"]) == (None, None, None)
    assert "| NP-BTL | all | - |" in unpadded(Report.load(tmp_path).markdown())


def test_fractions_are_shown_in_percent_with_their_interval():
    text = Report([row(0.727, low=0.719, high=0.734)]).markdown()
    assert "| NP-BTL | all | 72.7 [71.9, 73.4] |" in unpadded(text)


def test_nats_are_shown_as_they_are():
    text = Report([row(0.5678, metric="nll")]).markdown()
    assert "### Negative log-likelihood, nats a choice" in text
    assert "| 0.568 |" in text


def test_close_to_all_right_two_decimals_keep_the_difference():
    assert "| 99.94 | 99.98 |" in Report([row(0.9994), row(0.9998, context_size=5)]).markdown()


def test_all_and_worst_come_first_then_every_group():
    rows = [row(group=group) for group in ("zeal", "worst", "calm", "all")]
    lines = [
        line.split("|")[2].strip() for line in Report(rows).markdown().splitlines() if "| NP-BTL" in line
    ]
    assert lines == ["all", "worst", "calm", "zeal"]


def test_n_seeds_and_the_command_stand_under_every_table():
    rows = [*curve(), row(group="calm", n=400), row(metric="nll")]
    text = Report(rows, {"command": "python -m eval.context_curve --run runs/demo"}).markdown()
    notes = [line for line in text.splitlines() if line.startswith("Columns: choices seen. n = 1,200")]
    assert len(notes) == 2
    assert "seeds = 3; n = 400 in a group" in notes[0]
    assert all(note.endswith("`python -m eval.context_curve --run runs/demo`") for note in notes)


def test_bayes_accuracy_is_a_line_in_the_table_of_accuracy():
    rows = [row(0.7), row(0.75, metric="bayes_accuracy"), row(0.77, metric="bayes_accuracy", method="pooled")]
    found = list(tables(frame_of(rows)))
    assert [table.metric for table in found] == ["accuracy"]
    assert found[0].limit.to_dict() == {
        3: pytest.approx(0.76)
    }  # methods judged on other episodes: the mean of both
    assert "| *Bayes limit* | all | 76.0 |" in unpadded(Report(rows).markdown())


def test_bayes_accuracy_alone_has_its_own_table():
    assert [table.metric for table in tables(frame_of([row(metric="bayes_accuracy")]))] == ["bayes_accuracy"]


def test_metrics_and_slices_never_heard_of_render_too(tmp_path):
    rows = [
        *curve(metric="win_rate"),
        *curve(metric="mean/length", slice={"language": "fi", "turns": 2}),
    ]
    folder = Report(rows).save(tmp_path)
    text = (folder / "report.md").read_text()
    assert "### Win rate, %" in text
    assert "## sandbox, language = fi, turns = 2" in text
    assert {path.name for path in folder.glob("*.png")} == {"win_rate.png", "mean_length.png"}


def test_cells_that_are_missing_are_dashes():
    rows = [row(context_size=0), row(context_size=3), row(method="dedicated", context_size=3)]
    assert "| dedicated | all | - | 72.7 |" in unpadded(Report(rows).markdown())


def test_the_console_puts_the_worst_group_beside_the_mean():
    text = printed(Report([row(0.757), row(0.539, group="worst"), row(0.51, method="pooled [BTL]")]))
    assert "75.7 / 53.9" in text
    assert "pooled [BTL]" in text
    assert "n = 1,200" in text


def test_the_console_shows_accuracy_unless_asked_for_more():
    report = Report([row(), row(metric="nll")])
    assert "log-likelihood" not in printed(report)
    assert "log-likelihood" in printed(report, metrics=())


def test_a_picture_of_every_curve_is_linked(tmp_path):
    rows = [
        *curve(),
        *curve(group="worst"),
        *curve(metric="bayes_accuracy"),
        *curve(data="other"),
        row(metric="ece"),
    ]
    folder = Report(rows).save(tmp_path)
    assert [path.name for path in folder.glob("*.png")] == ["accuracy.png"]  # one point is no curve
    assert "![accuracy.png](accuracy.png)" in (folder / "report.md").read_text()
    picture = imread(folder / "accuracy.png")
    assert picture.shape[1] > picture.shape[0] > 400  # two panels beside each other
    assert picture[..., :3].std() > 0.05  # not blank


def test_a_picture_draws_mean_worst_and_limit(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.plot",
        lambda self, x, y, **style: drawn.append((style.get("linestyle", "-"), max(y))),
    )
    monkeypatch.setattr("matplotlib.figure.Figure.legend", lambda *args, **options: None)
    monkeypatch.setattr("matplotlib.axes.Axes.get_legend_handles_labels", lambda self: ([1], ["x"]))
    rows = [*curve(), *curve(group="worst"), *curve(group="calm"), *curve(metric="bayes_accuracy")]
    Report(rows).save(tmp_path)
    assert drawn == [
        ("-", 70),
        ("--", 70),
        (":", 70),
    ]  # 0.5 + 10 / 50, in percent; the group calm is in the table


def test_merged_reports_hold_all_rows_and_the_later_number():
    first = Report([row(0.5), row(0.6, method="pooled")], {"command": "one", "seed": 0})
    second = Report([row(0.7)], {"command": "two", "seed": 0})
    merged = Report.merge([first, second])
    assert [(r.method, r.value) for r in merged.rows] == [("NP-BTL", 0.7), ("pooled", 0.6)]
    assert merged.about == {"command": ["one", "two"], "seed": 0}
    assert "`one` `two`" in merged.markdown()


def test_several_folders_load_as_one(tmp_path):
    folders = [Report([row(method=m)], {"command": m}).save(tmp_path / m) for m in ("a", "b")]
    assert [r.method for r in Report.load(*folders).rows] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not a readable report"),
        ("[]", "`rows` and `about`"),
        ('{"rows": [{"data": "x"}]}', "missing or unknown"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path, text, complaint):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        Report.load(tmp_path)


def test_a_missing_report_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"report\.json"):
        Report.load(tmp_path)
