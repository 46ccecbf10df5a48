"""Explanations, held against reading the person again."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import linregress

from fsa.errors import ShapeError
from fsa.features.measures import MEASURES, measure
from fsa.outputs.reward_model import RewardModel
from tests.factories.reward_models import choices_of, numbers, part, small_model, taste_model


@pytest.fixture(scope="module")
def model() -> RewardModel:
    return taste_model()


def test_leave_one_out_is_reading_the_person_without(model):
    choices, responses = choices_of(1, 5), numbers(7, 4)
    person = model.for_user(choices)
    said = person.explain("", responses)
    reward = person.score("", responses).reward
    assert said.order == tuple(np.argsort(-reward))
    assert said.margin == pytest.approx(reward[said.order[0]] - reward[said.order[1]])
    assert sorted(one.index for one in said.influences) == list(range(5))
    for one in said.influences:
        without = model.for_user([c for i, c in enumerate(choices) if i != one.index])
        others = without.score("", responses).reward
        best, second = said.order[:2]
        assert one.nats == pytest.approx(said.margin - (others[best] - others[second]), rel=0, abs=1e-12)
        assert one.winner == np.argmax(others)
        apart = [abs((reward - others)[i] - (reward - others)[j]) for i in range(4) for j in range(4)]
        assert one.moved == pytest.approx(max(apart), rel=0, abs=1e-12)
    moved = [one.moved for one in said.influences]
    assert moved == sorted(moved, reverse=True)


def likes_first(strength: float) -> RewardModel:
    """Everybody likes the first number by 1; people differ in it by `strength` times z."""
    model = small_model(
        encoder=part("encoders.taste_posterior.TastePosterior", components=1, units=0),
        scorer=part("models.taste_reward.TasteReward", units=0),
    )
    encoder = model.encoder
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.zero_()
        encoder.population.wide.weight[0, 0] = 1.0
        encoder.taste.wide.weight[0, 0] = strength
        encoder.offset.fill_(1.0)
        encoder.lapse.fill_(math.log(0.01))
        encoder.raw_rate.fill_(-30)
    return model


def picks(*firsts: int) -> list[dict]:
    """Choices between two responses that differ in the first number; 0 prefers more of it, 1 less."""
    return [{"options": [[1.0 + i, 0.0], [0.0, 0.0]], "chosen": chosen} for i, chosen in enumerate(firsts)]


def test_the_fewest_changes_that_flip_the_winner_do_and_one_fewer_does_not():
    model = likes_first(1.0)
    choices, responses = picks(1, 1, 1), [(0.0, 0.0), (1.0, 0.0)]
    person = model.for_user(choices)
    said = person.explain("", responses, most_changes=3)
    assert said.order[0] == 0  # against everybody
    assert said.flip is not None

    def winner(changes):
        changed = {change.index: change.how for change in changes}
        kept = [
            {**c, "chosen": 1 - c["chosen"]} if changed.get(i) == "reversed" else c
            for i, c in enumerate(choices)
            if changed.get(i) != "left out"
        ]
        return int(np.argmax(model.for_user(kept).score("", responses).reward))

    assert winner(said.flip) == 1
    assert all(winner([c for c in said.flip if c is not change]) == 0 for change in said.flip)


def test_where_choices_say_nothing_nothing_flips_the_winner():
    said = likes_first(0.0).for_user(picks(1, 1)).explain("", [(0.0, 0.0), (1.0, 0.0)])
    assert said.order[0] == 1
    assert said.flip is None
    assert [one.moved for one in said.influences] == [0.0, 0.0]


def test_likings_are_slopes_of_the_rewards_by_what_is_measured():
    names = ["log_length", "log_words"]
    measured = part("features.measured.Measured", names=names)
    model = taste_model(features=measured)
    texts = ["a", "a b c d e", "some words of middling length", "x " * 40]
    person = model.for_user([{"prompt": "p", "chosen": texts[3], "rejected": texts[0]}])
    said = {one.attribute: one for one in person.explain("q", texts).likings}
    assert said.keys() == set(MEASURES)
    for name in names:
        grouped = [("q", texts), ("p", [texts[3], texts[0]])]
        measures = [measure([name], each)[:, 0] for _, each in grouped]
        apart = np.concatenate([each - each.mean() for each in measures])
        for who, one in (("person", person), ("population", model.for_user([]))):
            rewards = [one.score(prompt, each).reward for prompt, each in grouped]
            reward = np.concatenate([each - each.mean() for each in rewards])
            wanted = linregress(apart / apart.std(), reward).slope
            assert getattr(said[name], who) == pytest.approx(wanted)


def test_numbers_have_no_measures_and_one_response_no_ranking(model):
    person = model.for_user(choices_of(1, 2))
    assert person.explain("", numbers(1, 3)).likings == ()
    with pytest.raises(ShapeError, match="needs two responses"):
        person.explain("", numbers(1, 1))
