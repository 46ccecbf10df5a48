"""`hub_results`: a report's accuracies as the hub's model index has them."""

from __future__ import annotations

from typing import Any

from fsa.reports.report import Report
from fsa.reports.row import Row

_GROUPS = {"all": "", "worst": ", worst group"}


def hub_results(report: Report, data: str | None) -> list[dict[str, Any]]:
    """Results for the `model-index` of a card's head, one entry a data set: accuracy by choices seen, of all
    and of the worst group, each with its interval, n and seeds.

    Nothing of a report on several methods: the index is of one model, and does not say which row is whose.

    Args:
        report: Of the model.
        data: Hub id of the data, where it has one.
    """
    if len({row.method for row in report.rows}) != 1:
        return []
    kept = [
        row
        for row in report.rows
        if row.metric == "accuracy" and row.group in _GROUPS and not row.slice and row.value is not None
    ]
    return [
        {
            "task": {"type": "text-ranking", "name": "Choices of people not seen in training"},
            "dataset": {"type": data or name, "name": name},
            "metrics": [_metric(row) for row in kept if row.data == name],
        }
        for name in dict.fromkeys(row.data for row in kept)
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
