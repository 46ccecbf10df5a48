"""Between two opposite people: contexts mixed in shares, and beliefs between theirs; how answers follow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.generations.answers import AnswerWriter
from eval.generations.grid import GridNumbers, row
from eval.generations.people import HeldOutPanel, HeldOutUser
from eval.generations.raters import Rater
from eval.generations.steering import Scale
from fsa.choices.sandbox_text.wordings import POLES
from fsa.reports.bootstrap import Interval
from fsa.reports.intervals import paired_interval
from fsa.reports.plots import COLOURS, frameless, legend, panels_of, save
from fsa.reports.row import Row
from fsa.types import Choice

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
MIXED = {"choices": "level_by_mixed_choices", "beliefs": "level_between_beliefs"}
"""Metric, by what is mixed: the measured attribute, -1 to 1."""
STEP = "smallest_step"
"""Metric: least rise of the attribute from one share to the next; above 0 where all rise."""
_COLOURS = {"choices": COLOURS[0], "beliefs": COLOURS[1]}


@dataclass(frozen=True)
class Curve:
    """One attribute between two poles.

    Attributes:
        attribute: Its name.
        mixed: "choices" or "beliefs".
        levels: The measured attribute at each share [5].
        step: The smallest step, with its interval.
    """

    attribute: str
    mixed: str
    levels: tuple[Interval, ...]
    step: Interval

    @property
    def is_monotone(self) -> bool:
        """Whether the mean rises at every step."""
        return self.step.value > 0


def pairs_of(field: HeldOutPanel) -> dict[str, list[tuple[HeldOutUser, HeldOutUser]]]:
    """People of the low and the high pole of each attribute, two by two; attributes with both poles only."""
    by_group = {group: field.of(group).subjects for group in field.groups}
    pairs = {
        name: list(zip(by_group.get(low, ()), by_group.get(high, ()), strict=False))
        for name, (low, high) in POLES.items()
    }
    return {name: two for name, two in pairs.items() if two}


def cells_of(
    answers: AnswerWriter, field: HeldOutPanel, judge: Rater, size: int, seed: int
) -> Iterator[GridNumbers]:
    """The attribute of answers at each share, for choices and for beliefs; one "person" is a pair."""
    pairs = pairs_of(field)
    read, between = answers.policy.for_users, answers.policy.with_latent
    flat = [pair for two in pairs.values() for pair in two]
    if not flat:
        return
    ends = [
        [person.belief.mean[0] for person in read([p.seen(size) for p in side])]
        for side in zip(*flat, strict=True)
    ]
    mixed = read([mixture(*pair, size, share) for share in SHARES for pair in flat])
    latent = [between((1 - s) * low + s * high) for s in SHARES for low, high in zip(*ends, strict=True)]
    texts = answers.of([*mixed, *latent], field.prompts, "the continuum")
    levels = Scale(judge, field.prompts)(texts).mean(2)  # [2 shares pairs, q, a]
    levels = levels.reshape(2, len(SHARES), len(flat), *levels.shape[1:])
    for metric, of_metric in zip(MIXED.values(), levels, strict=True):
        for share, of_share in zip(SHARES, of_metric, strict=True):
            first = 0
            for name, two in pairs.items():
                values = of_share[first : first + len(two), :, judge.names.index(name)]
                first += len(two)
                group = group_of(name, share)
                people = [replace(low, group=group) for low, _ in two]
                yield GridNumbers.grid(metric, size, values, people, seed, {"group": group})


def mixture(low: HeldOutUser, high: HeldOutUser, size: int, share: float) -> list[Choice]:
    """So many choices, a share of them of the second person; their own order kept."""
    of_high = round(share * size)
    return [*low.seen(size - of_high), *high.seen(of_high)]


def group_of(attribute: str, share: float) -> str:
    """A share's name in the report."""
    low, high = POLES[attribute]
    return f"{low} to {high}, {share:.2f} of the way"


def curves(cells: Sequence[GridNumbers]) -> list[Curve]:
    """Curves of all attributes, from the cells of all trainings."""
    found = {(one.metric, one.group[0]): one for one in cells}
    made = []
    for mixed, metric in MIXED.items():
        for name in POLES:
            points = [found.get((metric, group_of(name, share))) for share in SHARES]
            known = [point for point in points if point is not None]
            if len(known) == len(SHARES):
                levels = tuple(point.interval() for point in known)
                steps = [_step(low, high) for low, high in itertools.pairwise(known)]
                made.append(Curve(name, mixed, levels, min(steps, key=lambda step: step.value)))
    return made


def _step(low: GridNumbers, high: GridNumbers) -> Interval:
    return paired_interval(high.value, low.value, [low.user, low.prompt], seeds=low.seed)


def rows_of(cells: Sequence[GridNumbers], data: str, method: str) -> list[Row]:
    """A row for each share of each attribute, and one for its smallest step."""
    of_share = [row(replace(one, slice={}), data, method, str(one.group[0]), one.interval()) for one in cells]
    if not cells:
        return []
    of_step = [
        Row.of(curve.step, data, method, f"{ends}, mixed {curve.mixed}", cells[0].size, STEP)
        for curve in curves(cells)
        for ends in [" to ".join(POLES[curve.attribute])]
    ]
    return [*of_share, *of_step]


def monotone(curves: Sequence[Curve]) -> dict[str, bool]:
    """Whether the mean of each curve rises at every step."""
    return {
        f"{curve.attribute}, mixed {curve.mixed}, rises at every step": curve.is_monotone for curve in curves
    }


def plot(curves_of: Mapping[str, Sequence[Curve]], path: Path) -> None:
    """One panel an attribute: the measured level against the share, choices and beliefs, in 95 % intervals.

    Args:
        curves_of: Curves by method; the methods differ by line style.
        path: PNG to write.
    """
    names = list(dict.fromkeys(curve.attribute for all_of in curves_of.values() for curve in all_of))
    figure, panels = panels_of(len(names), "measured in the answers", share_y=True)
    shares = [100 * share for share in SHARES]
    for panel, name in zip(panels, names, strict=True):
        for style, (method, all_of) in zip("-:-.", curves_of.items(), strict=False):
            for curve in [curve for curve in all_of if curve.attribute == name]:
                values, lows, highs = zip(*((i.value, i.low, i.high) for i in curve.levels), strict=True)
                colour, label = _COLOURS[curve.mixed], f"{method}: mixed {curve.mixed}"
                panel.plot(shares, values, style, color=colour, marker="o", markersize=4, label=label)
                panel.fill_between(shares, lows, highs, color=colour, alpha=0.15, linewidth=0)
        low, high = POLES[name]
        frameless(panel, f"{name}: {low} (-1) to {high} (+1)")
        panel.set_xlabel(f"share of the {high} person (%)")
        panel.set_xticks(shares)
        panel.set_ylim(-1.05, 1.05)
    legend(figure, panels, columns=2)
    save(figure, path)
