"""`PlainJudge`: one response a request, scored by itself; the comparative judge's ablation."""

from __future__ import annotations

from fsa.judge.regression import RegressionJudge


class PlainJudge(RegressionJudge):
    """Regression without comparison: every request shows one response. See `RegressionJudge`."""

    compares = False

    def groups(self, count: int) -> list[tuple[int, ...]]:
        return [(place,) for place in range(count)]
