"""What the reference makes of people: beliefs after their choices, and rewards of the synthetic data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float

from eval.suite.cells import RUN
from eval.suite.results import Done, Suite
from fsa.episodes.dataset import collate
from fsa.outputs.reward_model import Person
from fsa.recipes.measuring.runs import Run, Settings, opened
from fsa.runs.folder import CONFIG_JSON
from fsa.types import Belief

_PEOPLE = 600
"""People on a map at most."""
_EACH_TYPE = 4
"""People of each type whose rewards are drawn."""
_SIZES = (0, 1, 3, 10)


def belief_maps(suite: Suite) -> dict[str, tuple[Float[np.ndarray, "m 2"], list[str]]]:
    """Where the reference's first seed puts people after their choices, and their groups, by data set."""
    found = {}
    for name in suite.datasets:
        if (cell := _first_run(suite, name)) is not None:
            run = _opened(cell, _PEOPLE)
            means = _beliefs(run, max(cell.about["context_sizes"])).mean.numpy()
            if means.shape[1] >= 2:
                groups = run.at.table.groups.to_pylist()
                people = [groups[g] for g in run.at.table.group[run.at.episodes.target[:, 0]]]
                found[name] = (principal_axes(means), people)
    return found


def principal_axes(points: Float[np.ndarray, "m z"]) -> Float[np.ndarray, "m 2"]:
    """The two directions of most variance; each turned so that its largest coordinate is positive."""
    centred = points - points.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    largest = np.abs(axes).argmax(1)
    return np.asarray(centred @ (axes * np.sign(axes[[0, 1], largest])[:, None]).T)


def reward_curves(
    suite: Suite,
) -> tuple[np.ndarray, Mapping[int, list[tuple[str, np.ndarray]]]] | None:
    """Rewards on a grid for people of both synthetic types, by choices seen; None without that data set."""
    for name in suite.datasets:
        cell = _first_run(suite, name)
        if cell is not None and str(cell.about["config"]["source"]["class_path"]).endswith(".Synthetic"):
            return _curves(_opened(cell, 2 * _EACH_TYPE))
    return None


def _curves(run: Run) -> tuple[np.ndarray, Mapping[int, list[tuple[str, np.ndarray]]]]:
    grid = np.linspace(0, 1, 101)
    options = [(float(x),) for x in grid]
    kinds = [run.at.table.groups[int(g)].as_py() for g in run.at.table.group[run.at.episodes.target[:, 0]]]
    found = {}
    for size in _SIZES:
        beliefs = _beliefs(run, size)
        people = [Person(run.model, beliefs.of_user(i)) for i in range(len(kinds))]
        scores = run.model.score_batch(people, [""] * len(people), [options] * len(people))
        found[size] = [(kind, one.reward) for kind, one in zip(kinds, scores, strict=True)]
    return grid, found


@torch.no_grad()
def _beliefs(run: Run, size: int) -> Belief:
    """Beliefs about the people of a run's episodes after so many choices."""
    seen = run.at.episodes.with_context(size)
    return run.model.encoder(collate(seen, run.at.table, run.features.double()).context)


def _opened(cell: Done, episodes: int) -> Run:
    sizes = cell.about["context_sizes"]
    return opened(cell.folder / RUN, Settings(sizes, cell.about["split"], episodes, 1, seed=1), {})


def _first_run(suite: Suite, name: str) -> Done | None:
    """The reference's first seed, where its run folder is there."""
    cells = suite.of(name, suite.roles.reference)
    return next((cell for cell in cells if (cell.folder / RUN / CONFIG_JSON).is_file()), None)
