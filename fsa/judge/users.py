"""`TargetUsers`: simulated people who choose what is nearest their target, by the scores that people gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from fsa.choices.simulation.simulate import simulate
from fsa.choices.source import Source
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.judge.labelled import read_labelled
from fsa.judge.scores import Labelled
from fsa.judge.select import distances
from fsa.judge.target import AlignmentTarget

_DIGITS = 9  # distances that differ beyond this tie, as they do in `select`


class TargetUsers(Source):
    """People with a target, who choose the response nearest it; what ties for them is dropped.

    People and prompts of the test split are new: train people choose among train prompts, test people among
    test prompts. Group = how many attributes the person's target names.

    Args:
        path: Folder of `steerable_train.json` and `steerable_eval.json`.
        train_users: People to train on for each number of attributes; fewer where there are fewer targets.
        test_users: People to test on for each number of attributes.
        seed: Of the targets.

    Raises:
        ConfigError: A number is below 1.
    """

    def __init__(self, path: str, train_users: int = 60, test_users: int = 10, seed: int = 0) -> None:
        for name, value in (("train_users", train_users), ("test_users", test_users)):
            if value < 1:
                raise ConfigError(f"{name} must be 1 or more, came {value}")
        self.path, self.train_users, self.test_users, self.seed = path, train_users, test_users, seed

    def load(self) -> ChoiceTable:
        """All people's choices; splits "train" and "test".

        Raises:
            ChoiceDataError: A file is missing, or an entry is not what the arrangement says.
        """
        folder = Path(self.path).expanduser()
        test = read_labelled(folder / "steerable_eval.json")
        tested = {each.probe.prompt for each in test}
        train = read_labelled(folder / "steerable_train.json")
        train = [each for each in train if each.probe.prompt not in tested]
        train_targets, test_targets = self.targets(test[0].labels.attributes)
        return simulate_targets({"train": (train, train_targets), "test": (test, test_targets)}, self.seed)

    def targets(
        self, attributes: Sequence[str]
    ) -> tuple[Mapping[str, AlignmentTarget], Mapping[str, AlignmentTarget]]:
        """The targets of the train and of the test people, by the person's name."""
        train: dict[str, AlignmentTarget] = {}
        test: dict[str, AlignmentTarget] = {}
        for size in range(1, len(attributes) + 1):
            count = self.test_users + self.train_users
            for i, target in enumerate(AlignmentTarget.sampled(attributes, size, count, self.seed)):
                (test if i < self.test_users else train)[target.name] = target
        return train, test


def simulate_targets(
    splits: Mapping[str, tuple[Sequence[Labelled], Mapping[str, AlignmentTarget]]], seed: int = 0
) -> ChoiceTable:
    """What people with these targets choose; a person of one split sees the probes of that split only.

    Args:
        splits: Probes, and targets by person, of each split. No prompt and no person comes in two.
        seed: Of the order in which responses are shown.
    """
    targets = {name: target for _, people in splits.values() for name, target in people.items()}
    split_of = {name: split for split, (_, people) in splits.items() for name in people}
    probes = {each.probe.prompt: (split, each) for split, (found, _) in splits.items() for each in found}
    utilities, responses, item_prompt = [], [], []
    for place, (_, each) in enumerate(probes.values()):
        # Nearer is better; a person's utility is the column of their own name.
        utilities.append(np.stack([-distances(each.labels, target) for target in targets.values()], axis=1))
        responses += list(each.probe.responses)
        item_prompt += [place] * len(each.probe.responses)
    table = simulate(
        np.round(np.concatenate(utilities), _DIGITS),
        {name: {name: 1.0} for name in targets},
        attributes=list(targets),
        prompts=list(probes),
        responses=responses,
        item_prompt=np.array(item_prompt),
        splits=[split for split, _ in probes.values()],
        seed=seed,
    )
    own = np.array([split_of[name] for name in table.users.to_pylist()])
    table = table.select(np.array(table.splits.to_pylist())[table.split] == own[table.user])
    sizes = np.array([len(targets[name].levels) for name in table.users.to_pylist()])
    words = [f"{size} attribute{'s' if size > 1 else ''}" for size in range(1, int(sizes.max()) + 1)]
    return replace(table, group=(sizes[table.user] - 1).astype(np.int32), groups=pa.array(words))
