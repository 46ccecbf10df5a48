"""What a model makes of people: beliefs after their choices, and rewards of numbers; kept with its cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray

from fsa.episodes.dataset import collate
from fsa.episodes.sampler import EpisodeRows
from fsa.features.numeric import Numeric
from fsa.outputs.reward_model import Person, RewardModel
from fsa.recipes.measuring.runs import Data
from fsa.types import Belief

_PEOPLE = 600
"""People on a map at most."""
_DRAWN = 8
"""People whose rewards are drawn."""
_SIZES = (0, 1, 3, 10)


def people_of(model: RewardModel, at: Data) -> dict[str, NDArray[Any]]:
    """Where a model puts people, and their rewards where options are single numbers.

    Returns:
        `axes`: principal axes of the beliefs' means after the most choices [m, 2], with `group` [m]; nothing
        where a belief has one number. `rewards` of the options `grid` [sizes, people, g] after `sizes`
        choices, with `kind` [people].
    """
    episodes = at.episodes.part(slice(0, _PEOPLE))
    found: dict[str, NDArray[Any]] = {}
    means = _beliefs(model, at, episodes.with_context(int(episodes.context.shape[1]))).mean
    means = means.reshape(len(means), -1)
    if means.shape[1] >= 2:
        found |= {"axes": principal_axes(means.numpy()), "group": _groups(at, episodes)}
    if isinstance(model.features, Numeric) and model.features.width == 1:
        few = at.episodes.part(slice(0, _DRAWN))
        found |= {"kind": _groups(at, few), "sizes": np.array(_SIZES), "grid": np.linspace(0, 1, 101)}
        found["rewards"] = np.stack([_rewards(model, at, few, size, found["grid"]) for size in _SIZES])
    return found


def principal_axes(points: Float[np.ndarray, "m z"]) -> Float[np.ndarray, "m 2"]:
    """The two directions of most variance; each turned so that its largest coordinate is positive."""
    centred = points - points.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    largest = np.abs(axes).argmax(1)
    return np.asarray(centred @ (axes * np.sign(axes[[0, 1], largest])[:, None]).T)


def _rewards(
    model: RewardModel, at: Data, episodes: EpisodeRows, size: int, grid: NDArray[np.float64]
) -> Float[np.ndarray, "m g"]:
    beliefs = _beliefs(model, at, episodes.with_context(size))
    people = [Person(model, beliefs.of_user(i)) for i in range(len(episodes.index))]
    options = [[(float(x),) for x in grid]] * len(people)
    scores = model.score_batch(people, [""] * len(people), options)
    return np.stack([one.reward for one in scores])


@torch.no_grad()
def _beliefs(model: RewardModel, at: Data, episodes: EpisodeRows) -> Belief:
    features = at.items_of(model.features).project(model.projection)
    return model.encoder(collate(episodes, at.table, features.double()).context)


def _groups(at: Data, episodes: EpisodeRows) -> NDArray[np.str_]:
    names = np.array(at.table.groups.to_pylist())
    return names[at.table.group[episodes.target[:, 0]]]
