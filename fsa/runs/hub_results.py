"""`hub_results`: a report's accuracies as the hub's model index has them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fsa.reports.report import Report
from fsa.reports.row import Row

KEPT = "kept_model"
"""What `Report.about` calls the method whose model was saved, where there are several."""

_GROUPS = {"all": "", "worst": ", worst group"}


def hub_results(report: Report, data: str | None) -> list[dict[str, Any]]:
    """Results for the `model-index` of a card's head: accuracy by choices seen, each with its interval.

    One entry a data set and slice of it; of all and of the worst group, with n and seeds.

    Of a report on several methods those of the one that it says was kept; of none where it does not say: the
    index is of one model.

    Args:
        report: Of the model.
        data: Hub id of the data, where it has one.
    """
    methods = {row.method for row in report.rows}
    method = report.about.get(KEPT) if len(methods) > 1 else next(iter(methods), None)
    kept = [
        row
        for row in report.rows
        if row.method == method
        and row.metric == "accuracy"
        and row.group in _GROUPS
        and row.value is not None
    ]
    of_each: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in kept:
        of_each[row.data, row.slice_name].append(row)
    return [
        {
            "task": {"type": "text-ranking", "name": "Choices of people not seen in training"},
            "dataset": {"type": data or name, "name": f"{name} ({part})" if part else name},
            "metrics": [_metric(row) for row in rows],
        }
        for (name, part), rows in of_each.items()
    ]


def _metric(row: Row) -> dict[str, Any]:
    # The interval in the name, for the hub shows name and value alone.
    interval = "" if row.low is None or row.high is None else f" [{row.low:.3f}, {row.high:.3f}]"
    return {
        "type": "accuracy",
        "value": round(float(row.value or 0.0), 4),
        "name": f"accuracy@{row.context_size}{_GROUPS[row.group]}{interval}",
        "args": {"choices_seen": row.context_size, "n": row.n, "seeds": row.seeds},
    }
