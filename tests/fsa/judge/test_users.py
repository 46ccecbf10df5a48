"""People with a target."""

import numpy as np

from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from fsa.judge.users import simulate_targets
from tests.factories.labelled import made_up


def test_people_choose_what_is_nearest_their_target_in_their_own_split() -> None:
    every = made_up(40)
    train, test = every[:30], every[30:]
    people = {"mid": AlignmentTarget({"long": 0.5}), "both": AlignmentTarget({"long": 1, "short": 0.25})}
    other = {"brief": AlignmentTarget({"short": 1})}
    table = simulate_targets({"train": (train, people), "test": (test, other)})
    labelled = {each.probe.prompt: each for each in every}
    seen = set()
    for row in range(len(table)):
        choice = table.choice(row)
        each = labelled[choice.prompt]
        target = {**people, **other}[choice.user]
        nearest = each.probe.responses[select(each.labels, target).index or 0]
        (picked,) = [
            o for o, place in zip(choice.options, choice.outcome.places(2), strict=True) if not place
        ]
        assert picked == nearest
        assert choice.split == ("test" if choice.user == "brief" else "train")
        assert choice.group == ("2 attributes" if choice.user == "both" else "1 attribute")
        seen.add((choice.user, choice.prompt))
    # Everybody is asked about every probe of their split, but for what ties for them.
    ties = sum(select(e.labels, t).is_tie for e in train for t in people.values())
    ties += sum(select(e.labels, other["brief"]).is_tie for e in test)
    assert len(seen) == 2 * 30 + 10 - ties
    assert len(np.unique(table.prompt)) <= 40
