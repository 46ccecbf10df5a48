"""A report as the hub shows it."""

from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from fsa.reports.report import Report
from fsa.reports.row import Row
from fsa.runs.hub_results import KEPT, hub_results


def row(group="all", value=0.75, size=10, metric="accuracy", method="ours", **slice):
    return Row("people", method, group, slice, size, metric, value, value - 0.02, value + 0.02, 500, 3)


def test_accuracies_by_choices_seen_with_intervals_as_the_hub_reads_them():
    rows = [row(size=0, value=0.5), row(), row("worst", 0.61), row("g7"), row(metric="nll"), row(long=True)]
    found = hub_results(Report(rows), "some/data")
    _, results = model_index_to_eval_results([{"name": "m", "results": found}])
    assert [(r.metric_name, r.metric_value) for r in results] == [
        ("accuracy@0 [0.480, 0.520]", 0.5),
        ("accuracy@10 [0.730, 0.770]", 0.75),
        ("accuracy@10, worst group [0.590, 0.630]", 0.61),
        ("accuracy@10 [0.730, 0.770]", 0.75),
    ]
    assert [r.dataset_name for r in results] == ["people"] * 3 + ["people (long = True)"]
    assert {(r.task_type, r.dataset_type) for r in results} == {("text-ranking", "some/data")}
    assert results[1].metric_args == {"choices_seen": 10, "n": 500, "seeds": 3}
    assert ModelCardData(model_name="m", eval_results=results).to_dict()["model-index"]


def test_a_report_on_several_methods_says_which_was_kept_or_has_none():
    both = [row(), row(method="pooled", value=0.6)]
    assert hub_results(Report(both), None) == []
    [result] = hub_results(Report(both, {KEPT: "pooled"}), None)
    assert [metric["value"] for metric in result["metrics"]] == [0.6]
    assert hub_results(Report([row(metric="nll")]), None) == []
