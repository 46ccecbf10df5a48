"""A report as the hub shows it."""

from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from fsa.reports.report import Report
from fsa.reports.row import Row
from fsa.runs.hub_results import hub_results


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
    ]
    assert {(r.task_type, r.dataset_type, r.dataset_name) for r in results} == {
        ("text-ranking", "some/data", "people")
    }
    assert results[1].metric_args == {"choices_seen": 10, "n": 500, "seeds": 3}
    assert ModelCardData(model_name="m", eval_results=results).to_dict()["model-index"]


def test_a_report_on_several_methods_and_one_without_accuracy_have_none():
    assert hub_results(Report([row(), row(method="pooled")]), None) == []
    assert hub_results(Report([row(metric="nll")]), None) == []
