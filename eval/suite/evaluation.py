"""What a data set asks every method: frozen episodes, new people and new prompts together and apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from eval.suite.cells import PLACES, SavedPredictions, asked
from fsa.episodes.sampler import EpisodeRows
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.measuring.bayes import bayes_correct
from fsa.recipes.measuring.predictions import Predictions, predict
from fsa.recipes.measuring.runs import Data, Settings, source_and_splits

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of conflicting choices among those seen."""


@dataclass(frozen=True)
class EvaluationSet:
    """Everything that the methods of one data set are asked.

    Attributes:
        places: Data by name of what is new; the first is what the split claims.
        sizes: Choices seen.
        conflicts: Context sizes at which the share of conflicting choices is set.
    """

    places: Mapping[str, Data]
    sizes: Sequence[int]
    conflicts: Sequence[int] = ()

    @classmethod
    def of(
        cls,
        config: Mapping[str, Any],
        settings: Settings,
        claim: str = PLACES[0],
        conflicts: Sequence[int] = (),
    ) -> EvaluationSet:
        """From the configuration of a data set.

        Where its split separates both people and prompts, the choices that it drops tell new people about
        known prompts, and known people about new prompts.
        """
        main = Data.of(config, settings)
        places = {claim: main}
        _, splitter = source_and_splits(config, settings.trust_remote_code)
        if splitter.by == "both":
            new = settings.split
            for name, people, prompts in (("new people", new, "train"), ("new prompts", "train", new)):
                table = splitter.crossed(main.whole, people, prompts)
                places[name] = replace(main, table=table, episodes=settings.frozen(table), items={})
        return cls(places, settings.context_sizes, conflicts)

    @property
    def main(self) -> Data:
        """What the split claims."""
        return next(iter(self.places.values()))

    @property
    def groups(self) -> list[str]:
        """Groups that some target is of."""
        numbers = np.unique(np.concatenate([at.groups for at in self.places.values()]))
        return [self.main.table.groups[int(number)].as_py() for number in numbers]

    def about(self) -> dict[str, Any]:
        """What a reader of predictions has to know of the data."""
        main = self.main
        return {
            "groups": main.table.groups.to_pylist(),
            "fixed_users": bool(main.fixed_users),
            "one_prompt": len(np.unique(main.table.prompt)) == 1,
            "where": list(self.places),
            "claim": next(iter(self.places)),
            "users": {name: at.table.num_users for name, at in self.places.items()},
            "shortened": {name: at.episodes.num_shortened for name, at in self.places.items()},
        }

    def answers(
        self, models: Mapping[str, RewardModel], bayes: Mapping[str, NDArray[Any]]
    ) -> SavedPredictions:
        """Predictions for every place and size.

        Args:
            models: One for each group, or one under "" for all users.
            bayes: Credit of the best possible predictions by place and size, from `bayes_of`; empty where
                is not known.
        """
        parts: list[tuple[Predictions, Mapping[str, float]]] = []
        for number, (name, at) in enumerate(self.places.items()):
            for size in self.sizes:
                found = _answers(models, at, at.episodes.with_context(size))
                known = bayes.get(f"{name}/{size}")
                found = found if known is None else replace(found, bayes_correct=known)
                parts.append((found, {"size": size, "where": number}))
        return asked(parts)

    def conflicting(self, models: Mapping[str, RewardModel]) -> SavedPredictions | None:
        """Predictions by share of conflicting choices; None where the data set asks for none."""
        parts: list[tuple[Predictions, Mapping[str, float]]] = []
        for size in self.conflicts:
            for share, episodes in conflicting_episodes(self.main, size):
                found = _answers(models, self.main, episodes)
                parts.append((found, {"size": size, "share": share}))
        return asked(parts) if parts else None

    def bayes(self) -> dict[str, NDArray[Any]]:
        """Credit of the best possible prediction of every row, by place and size; empty where unknown.

        It is the same for all methods and takes longer than many of them.
        """
        return {
            f"{name}/{size}": bayes_correct(at.truth, at.table, at.episodes.with_context(size)).astype(
                np.float32
            )
            for name, at in self.places.items()
            for size in self.sizes
            if at.truth is not None
        }


def conflicting_episodes(at: Data, size: int) -> Iterator[tuple[float, EpisodeRows]]:
    """The frozen episodes with contexts of `size` choices, of which a set share is conflicting.

    A choice conflicts where the kinds of people would choose differently: it alone tells them apart. Targets
    stay; contexts come from the choices of the same person that are no target. Episodes with too few of
    either sort are left out at every share, so that rows stay paired.
    """
    assert at.truth is not None, "only a known truth says who would choose what"
    table, episodes = at.table, at.episodes
    first, second = table.option.reshape(-1, 2).T
    prefers_first = at.truth.rewards[:, first] > at.truth.rewards[:, second]
    conflicts = np.asarray(
        prefers_first.any(0) & ~prefers_first.all(0)
    )  # some kinds of people would, others would not
    has_prompts = len(np.unique(table.prompt)) > 1
    chosen: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    kept = []
    for episode, user in enumerate(episodes.user):
        target = episodes.target[episode]
        free = np.setdiff1d(np.arange(*table.user_offsets[user : user + 2]), target)
        # A prompt (where there are several) that is asked is not shown.
        if has_prompts:
            free = free[~np.isin(table.prompt[free], table.prompt[target[target >= 0]])]
        free = np.random.default_rng([size, episode]).permutation(free)
        telling, silent = free[conflicts[free]], free[~conflicts[free]]
        if min(len(telling), len(silent)) >= size:
            kept.append(episode)
            chosen.append((telling[:size], silent[:size]))
    some = np.array(kept, int)
    for share in SHARES:
        count = round(share * size)
        context = [np.concatenate([telling[:count], silent[: size - count]]) for telling, silent in chosen]
        shown = np.array(context, np.int64).reshape(-1, size)
        yield share, replace(episodes.part(some), context=shown, wanted=np.full(len(some), size))


def _answers(models: Mapping[str, RewardModel], at: Data, episodes: EpisodeRows) -> Predictions:
    """What one model for everybody says; or each group's own model of its group, in the same order."""
    if "" in models:
        model = models[""]
        return predict(model, at.table, _features(model, at), episodes)
    group = at.table.group[episodes.target[:, 0]]  # of a person
    parts, places = [], []
    for number in np.unique(group):
        some = np.flatnonzero(group == number)
        model = models[at.table.groups[int(number)].as_py()]
        mine = episodes.part(some)
        parts.append(predict(model, at.table, _features(model, at), mine))
        places.append(np.repeat(some, (mine.target >= 0).sum(1)))
    order = np.argsort(np.concatenate(places), kind="stable")
    return Predictions.concatenate(parts).where(order)


def _features(model: RewardModel, at: Data) -> Float[Tensor, "m d"]:
    return at.items_of(model.features).project(model.projection)
