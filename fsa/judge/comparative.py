"""`ComparativeJudge`: all responses in one request, each scored beside the others."""

from __future__ import annotations

from fsa.judge.regression import RegressionJudge


class ComparativeJudge(RegressionJudge):
    """Few-shot comparative regression: every request shows all responses of a probe under letters.

    Scores are then meant on one scale, which the distance to a target needs. See `RegressionJudge` for the
    arguments.

    Reference:
        [Adams2025] Steerable Pluralism: few-shot comparative regression.
    """

    compares = True

    def groups(self, count: int) -> list[tuple[int, ...]]:
        return [tuple(range(count))]
