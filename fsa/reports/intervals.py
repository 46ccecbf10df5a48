"""`mean_interval`, `paired_interval`, `ece_interval`: the bootstrap of single numbers, one row a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from fsa.errors import ShapeError
from fsa.metrics.calibration import equal_mass_bins
from fsa.reports.bootstrap import Cells, Interval, Resamples


def mean_interval(
    values: Float[np.ndarray, " n"],
    by: Sequence[np.ndarray],
    *,
    seeds: np.ndarray | None = None,
    num_resamples: int = 1000,
    random_seed: int = 0,
) -> Interval:
    """Mean of a number that every choice has (correctness, NLL, flip correctness), with its interval.

    Args:
        values: One number a choice; the rows of all seeds one after another.
        by: What to resample, one or two labels a choice: `(users, prompts)`, or `(prompts,)` where the users
            are fixed, named ones and the claim is about them alone.
        seeds: Which training each row comes from; all from one where None. Seeds may share users and prompts.
        num_resamples: 1000 gives bounds to about a tenth of the interval's width.
        random_seed: Same seed, same interval.

    Raises:
        ShapeError: There is no row, labels are not one a row, or `by` has other than one or two axes.

    Example:
        >>> mean_interval(np.ones(4), [np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])])
        Interval(value=1.0, low=1.0, high=1.0, n=4, seeds=1)
    """
    rows = resampled({"value": values}, by, seeds=seeds, num_resamples=num_resamples, random_seed=random_seed)
    found = rows.mean("value")
    assert found is not None, "every row has a value"
    return found


def paired_interval(
    values: Float[np.ndarray, " n"], rivals: Float[np.ndarray, " n"], by: Sequence[np.ndarray], **how: Any
) -> Interval:
    """Mean of values less rivals on the same choices; two methods differ where the interval leaves out 0.

    Far narrower than two separate intervals: what both methods find hard cancels. Arguments: `mean_interval`.
    """
    if len(values) != len(rivals):
        raise ShapeError(f"paired methods must judge the same choices, got {len(values)} and {len(rivals)}")
    return mean_interval(np.asarray(values, np.float64) - np.asarray(rivals, np.float64), by, **how)


EXCESS = "ece_beyond_calibrated"
"""Metric: calibration error beyond that of a perfectly calibrated model with as many predictions."""
_CALIBRATED = 20  # draws of what such a model would have come to


def excess_interval(
    confidence: Float[np.ndarray, " n"],
    correct: Float[np.ndarray, " n"],
    by: Sequence[np.ndarray],
    **how: Any,
) -> Interval:
    """The metric `EXCESS` with its interval; arguments as of `ece_interval`."""
    return ece_interval(confidence, correct, by, calibrated=_CALIBRATED, **how)


def ece_interval(
    confidence: Float[np.ndarray, " n"],
    correct: Float[np.ndarray, " n"],
    by: Sequence[np.ndarray],
    *,
    seeds: np.ndarray | None = None,
    num_bins: int = 15,
    calibrated: int = 0,
    **how: Any,
) -> Interval:
    """Expected calibration error with its interval; each seed is binned by itself, once.

    Args:
        confidence, correct, num_bins: See `fsa.metrics.calibration.ece`.
        by, seeds, how: See `mean_interval`.
        calibrated: How often to draw outcomes from the confidences themselves; the mean error of these draws,
            which a perfectly calibrated model would have with as many choices, is taken off. None where 0.
    """
    if len(confidence) != len(correct):
        raise ShapeError(f"{len(confidence)} confidences but {len(correct)} predictions")
    confidence = np.asarray(confidence, np.float64)
    bins = np.zeros(len(confidence), np.int64)
    for seed in np.unique(seeds) if seeds is not None else [None]:
        here = slice(None) if seed is None else seeds == seed
        bins[here] = equal_mass_bins(confidence[here], num_bins)
    gaps = {"gap": confidence - np.asarray(correct, np.float64)}
    rng, drawn = np.random.default_rng(how.get("random_seed", 0)), range(calibrated)
    gaps |= {str(i): confidence - (rng.random(len(confidence)) < confidence) for i in drawn}
    sums, parts = resampled(gaps, by, seeds=seeds, part=bins, **how), range(bins.max() + 1)
    others = [str(i) for i in drawn]
    found = sums.absolute_beyond("gap", others, parts) if others else sums.absolute("gap", parts)
    assert found is not None, "every row has a gap"
    return found


def resampled(
    columns: Mapping[str, Float[np.ndarray, " n"]],
    by: Sequence[np.ndarray],
    *,
    seeds: np.ndarray | None = None,
    part: Int[np.ndarray, " n"] | None = None,
    **how: Any,
) -> Resamples:
    """Several numbers of the same choices under the same draws.

    Args:
        columns: One number a choice each.
        by, seeds: See `mean_interval`.
        part: Which part of the data each choice is of, counted from 0; one part where None.
        how: `num_resamples` and `random_seed`.
    """
    n = len(next(iter(columns.values())))
    if len(by) not in (1, 2):
        raise ShapeError(f"resample by one or two axes, got {len(by)}: (users, prompts) or (prompts,)")
    zeros = np.zeros(n, np.int64)
    labels = [zeros if seeds is None else seeds, zeros if part is None else part, *by]
    if not n or any(len(label) != n for label in [*labels, *columns.values()]):
        raise ShapeError(f"{n} values need one label each, at least one, got {[len(x) for x in labels]}")
    numbered = [np.unique(label, return_inverse=True)[1] for label in labels]
    numbered[1] = labels[1]  # parts keep their numbers: one may be empty
    keys, cell = np.unique(np.stack(numbered), axis=1, return_inverse=True)
    cell = cell.reshape(-1)
    sums = {
        name: np.bincount(cell, np.asarray(value, np.float64), keys.shape[1])
        for name, value in columns.items()
    }
    count = np.bincount(cell, minlength=keys.shape[1]).astype(np.float64)
    return Resamples(Cells(keys[0], keys[1], tuple(keys[2:]), count), sums, **how)
