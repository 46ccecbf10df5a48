"""Many people, each with weights of their own over ratings."""

import gzip
import json

import numpy as np
import pytest

from fsa.choices.helpsteer2 import ATTRIBUTES
from fsa.choices.helpsteer2_tastes import HelpSteer2Tastes
from fsa.errors import ConfigError


@pytest.fixture
def ratings():
    """Ratings of two responses to each of 40 prompts [40, 2, 5]; the last two are rated alike."""
    drawn = np.random.default_rng(0).integers(0, 5, (40, 2, 5))
    drawn[-2:, 1] = drawn[-2:, 0]
    return drawn


@pytest.fixture
def folder(ratings, tmp_path):
    lines = [
        json.dumps(
            {"prompt": f"P{p}", "response": f"P{p} R{r}"}
            | dict(zip(ATTRIBUTES, map(int, rated), strict=True))
        )
        for p, pair in enumerate(ratings)
        for r, rated in enumerate(pair)
    ]
    for name, part in (("train", lines[:60]), ("validation", lines[60:])):
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress("\n".join(part).encode()))
    return str(tmp_path)


def test_everybody_chooses_by_their_own_weights(folder, ratings):
    source = HelpSteer2Tastes(folder, num_users=30, choices_per_user=50)
    table = source.load()
    assert len(table) == 30 * 38  # two pairs are rated alike on everything
    for row in range(0, len(table), 7):
        choice = table.choice(row)
        weights = source.weights[int(choice.user.removeprefix("user-"))]
        utility = [ratings[int(o.split()[0][1:]), int(o[-1])] @ weights for o in choice.options]
        assert choice.outcome.index == int(np.argmax(utility))


def test_a_group_is_the_rating_that_weighs_most_and_its_sign(folder):
    source = HelpSteer2Tastes(folder, num_users=30, choices_per_user=5)
    table = source.load()
    for row in range(0, len(table), 5):
        choice = table.choice(row)
        weights = source.weights[int(choice.user.removeprefix("user-"))]
        strongest = int(np.abs(weights).argmax())
        assert choice.group == ("+" if weights[strongest] > 0 else "-") + ATTRIBUTES[strongest]
    assert len(np.unique(table.group)) > 5


def test_everybody_answers_so_many_prompts_of_their_own(folder):
    table = HelpSteer2Tastes(folder, num_users=20, choices_per_user=8).load()
    assert np.diff(table.user_offsets).tolist() == [8] * 20
    asked = {tuple(table.prompt[slice(*table.user_offsets[u : u + 2])].tolist()) for u in range(20)}
    assert len(asked) > 10


def test_two_loads_are_the_same_and_people_do_not_depend_on_how_many_there_are(folder):
    few, many = (HelpSteer2Tastes(folder, num_users=n, choices_per_user=8) for n in (5, 10))
    assert (few.weights == many.weights[:5]).all()
    assert (few.load().place == HelpSteer2Tastes(folder, num_users=5, choices_per_user=8).load().place).all()


def test_no_people_is_refused(folder):
    with pytest.raises(ConfigError, match="came 0 and 8"):
        HelpSteer2Tastes(folder, num_users=0, choices_per_user=8)
