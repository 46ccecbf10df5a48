"""`number`: how a number of a report is written, everywhere."""

from __future__ import annotations

import math

from fsa.reports.row import is_fraction

MISSING = "-"
"""What stands for a number that is not there."""


def number(value: float | None, metric: str, *, sign: bool = False) -> str:
    """A number in its metric's unit: percent with one decimal, else three decimals.

    A percentage within half a point of 0 or 100 has two decimals, where one would round a difference away.

    Args:
        value: The number; None or NaN where it is not known.
        metric: Its name.
        sign: Whether a plus stands before what is more than nothing.

    Example:
        >>> number(0.8754, "accuracy"), number(0.5, "nll"), number(None, "nll")
        ('87.5', '0.500', '-')
    """
    if value is None or math.isnan(value):
        return MISSING
    shown, decimals = value, 3
    if is_fraction(metric):
        is_near_end = not sign and (0.995 <= value < 1 or 0 < value <= 0.005)
        shown, decimals = 100 * value, 2 if is_near_end else 1
    rounded = round(shown, decimals) + 0.0  # no minus before a zero
    return f"{rounded:+.{decimals}f}" if sign else f"{rounded:.{decimals}f}"


def with_interval(
    value: float | None, low: float | None, high: float | None, metric: str, *, sign: bool = False
) -> str:
    """A number and, where there is one, its interval in brackets."""
    shown, *ends = (number(one, metric, sign=sign) for one in (value, low, high))
    return shown if MISSING in (shown, *ends) else f"{shown} [{ends[0]}, {ends[1]}]"


def span(found: list[int]) -> str:
    """Whole numbers from the least to the most."""
    least, most = min(found, default=0), max(found, default=0)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
