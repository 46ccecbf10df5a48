"""Likings, held against the reward that they are read off."""

import math

import numpy as np
import pytest
import torch

from fsa.errors import ShapeError
from fsa.outputs.likings import Group
from fsa.outputs.reward_model import RewardModel
from tests.factories.reward_models import choices_of, numbers, part, small_model, taste_model, text_model

SQUARE = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)]  # each number of variance 1, uncorrelated


def plane(kinds: list[list[float]], std: list[float]) -> RewardModel:
    """Reward z . x of two numbers; kinds of people in given places, of these standard deviations."""
    model = small_model(
        d_belief=2,
        encoder=part("encoders.taste_posterior.TastePosterior", components=len(kinds), units=0),
        scorer=part("models.taste_reward.TasteReward", units=0),
    )
    encoder = model.encoder
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.zero_()
        encoder.taste.wide.weight.copy_(torch.eye(2))
        encoder.place.copy_(torch.tensor(kinds))
        encoder.log_std.copy_(torch.tensor(std).log())
        encoder.lapse.fill_(math.log(0.05))
        encoder.raw_rate.fill_(-30)
    return model


def test_where_the_reward_is_linear_a_liking_is_its_weight():
    model = plane([[2.0, 0.0], [-2.0, 0.0]], [0.5, 0.5])
    person = model.for_user([{"options": [[1.0, 0.0], [0.0, 0.0]], "chosen": 0}] * 3)
    said = person.likings([Group("", SQUARE)])
    assert [one.attribute for one in said.each] == ["number 1", "number 2"]
    # The square's standard deviation is 1, so nats a standard deviation are nats a number: z itself.
    assert [one.person for one in said.each] == pytest.approx(person.belief.mean[0].tolist())
    assert [one.population for one in said.each] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert said.kinds == pytest.approx(np.array([[2.0, 0.0], [-2.0, 0.0]]))
    assert said.share == pytest.approx([0.5, 0.5])
    assert said.weight.sum() == pytest.approx(1)
    assert said.weight[0] > 0.9
    covariance = person.belief.factor[0] @ person.belief.factor[0].T
    assert np.cov(said.cloud.T, bias=True) == pytest.approx(covariance.numpy(), abs=1e-6)


def test_the_interval_holds_nine_tenths_of_the_belief():
    model = plane([[0.0, 0.0]], [2.0, 0.5])
    [first, second] = model.for_user([]).likings([Group("", SQUARE)]).each
    # One Gaussian: 1.645 standard deviations to either side, from 256 places.
    for one, std in ((first, 2.0), (second, 0.5)):
        assert (one.low, one.high) == pytest.approx((-1.645 * std, 1.645 * std), rel=0.05)


def test_words_say_more_or_less_only_where_the_belief_does():
    model = plane([[0.0, 0.0]], [2.0, 0.01])
    liked = [{"options": [[4.0, 0.0], [0.0, 0.0]], "chosen": chosen} for chosen in (0, 1) for _ in range(9)]
    says = [model.for_user(each).likings([Group("", SQUARE)]).each for each in (liked[:9], liked[9:])]
    assert [one.says for one in says[0]] == ["likes more number 1", "number 2: unclear"]
    assert says[1][0].says == "likes less number 1"


def test_levels_are_compared_within_prompts_alone():
    model = plane([[0.0, 0.0], [1.0, 1.0]], [1.0, 1.0])
    person = model.for_user(choices_of(1, 3))
    alone = person.likings([Group("", SQUARE, {"x": [1, 1, -1, -1]})])
    moved = [Group("", SQUARE, {"x": [1, 1, -1, -1]}), Group("other", SQUARE, {"x": [8, 8, 6, 6]})]
    both = person.likings(moved)
    assert both.each[0].person == pytest.approx(alone.each[0].person)


def test_the_scale_of_levels_makes_no_difference():
    person = plane([[0.0, 0.0], [1.0, 1.0]], [1.0, 1.0]).for_user(choices_of(1, 3))
    said = [person.likings([Group("", SQUARE, {"x": [n, n, -n, -n]})]).each[0] for n in (1e-200, 1.0, 1e300)]
    assert [one.person for one in said] == pytest.approx([said[1].person] * 3)
    assert person.likings([Group("", SQUARE, {"x": [7] * 4})]).each[0].person == 0


def test_a_point_belief_has_no_kinds_and_no_width():
    said = small_model().for_user(choices_of(1, 2)).likings([Group("", numbers(3, 4))])
    assert said.cloud.shape == (1, 2)
    assert said.kinds.shape == (0, 2)
    assert all(one.low == one.person == one.high for one in said.each)


def test_texts_are_measured(bert):
    said = text_model(bert).for_user([]).likings([Group("w1", ["w1 w2", "w3 w4\nw5 w6 w7", "w8 w9 w1!"])])
    assert [one.attribute for one in said.each][:2] == ["log_length", "log_words"]
    assert said.each[0].says.endswith(" length")


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([], "came none"),
        ([Group("", [])], "came none"),
        ([Group("", [(1.0,), (1.0, 2.0)])], "must all have as many"),
        ([Group("", SQUARE, {"a": [1, 2, 3]})], "one a response"),
        ([Group("", SQUARE, {"a": [1] * 4}), Group("", SQUARE, {"b": [1] * 4})], r"groups\[1\]: levels"),
    ],
)
def test_what_shows_no_attribute_is_refused(groups, words):
    with pytest.raises(ShapeError, match=words):
        taste_model().for_user([]).likings(groups)
