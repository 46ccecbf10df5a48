from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.no_context import NoContext
from fsa.encoders.taste_posterior import TastePosterior
from fsa.errors import ConfigError
from fsa.models.taste_reward import TasteReward
from fsa.types import Belief, ChoiceBatch, Repeats


def options() -> ChoiceBatch:
    features = torch.randn(2, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    return ChoiceBatch(features, torch.tensor([0, 1]).expand(2, 3, 2), torch.ones(2, 3).long())


def test_with_the_posterior_it_scores_by_the_maps_that_choices_are_read_by():
    encoder, scorer, choices = TastePosterior(4, 3).eval(), TasteReward(4, 3).eval(), options()
    scorer.bind(encoder)
    z = torch.randn(5, 2, 3)
    wanted = encoder.population(choices.features) + (
        encoder.taste(choices.features) * z[:, :, None, None]
    ).sum(-1, keepdim=True)
    assert_close(scorer(choices, z, Belief.point(z[0])), wanted)
    assert not list(scorer.parameters())  # saved once, with the encoder


def test_with_another_encoder_the_maps_are_its_own():
    scorer = TasteReward(4, 3)
    scorer.bind(NoContext(4, 3))
    assert scorer.population_part() is None
    assert len(list(scorer.parameters())) == 8  # two maps of a linear map and a network of three tensors
    nobody = torch.zeros(1, 2, 3)
    scores = scorer.eval()(options(), nobody, Belief.point(nobody[0]))
    assert_close(scores[0], scorer.population(options().features))


def believed() -> tuple[TasteReward, ChoiceBatch, Belief]:
    """A scorer, choices of two options and of three, and what is believed of who made them."""
    encoder, scorer = TastePosterior(4, 3, std=3.0).double().eval(), TasteReward(4, 3).double().eval()
    scorer.bind(encoder)
    features = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    places = torch.tensor([[0, 1, -1], [1, 0, 1]]).expand(2, 2, 3)
    choices = ChoiceBatch(features, places, torch.ones(2, 2).long())
    return scorer, choices, encoder(options()._map(lambda t: t.double() if t.is_floating_point() else t))


def test_a_pair_is_averaged_over_its_normal_difference():
    scorer, choices, belief = believed()
    noise = torch.randn(200_000, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        quiet = scorer.predictive(choices, belief, noise[:64])[:, :, 0, :2, 0]
        loud = scorer(choices, belief.sample(noise), belief)[:, :, 0, :2, 0]
    assert (loud.diff().std(0) > 0.3).all()  # there is something to average over
    assert_close(quiet.softmax(-1).mean(0), loud.softmax(-1).mean(0), atol=3e-3, rtol=0)
    assert_close(quiet.mean(0), loud.mean(0), atol=2e-2, rtol=0)


def test_more_options_are_samples_and_a_pair_beside_them_stays_as_it_is():
    scorer, choices, belief = believed()
    noise = torch.randn(8, 2, 3, dtype=torch.float64)
    together = scorer.predictive(choices, belief, noise)
    assert_close(together[:, :, 1], scorer(choices, belief.sample(noise), belief)[:, :, 1])
    pair = ChoiceBatch(choices.features[:, :1, :2], choices.places[:, :1, :2], choices.rows[:, :1])
    assert_close(together[:, :, :1, :2], scorer.predictive(pair, belief, noise))


def test_a_point_belief_needs_no_average():
    scorer, choices, belief = believed()
    point = Belief.point(belief.mean)
    found = scorer.predictive(choices, point, torch.zeros(1, 2, 3, dtype=torch.float64))
    assert_close(found, scorer(choices, belief.mean.unsqueeze(0), point))


def test_a_text_that_is_there_twice_is_read_once_and_scored_the_same():
    scorer, choices, belief = believed()
    features = choices.features.clone()
    features[1] = features[0]
    which = torch.arange(6).view(1, 2, 3).expand(2, 2, 3)
    counted = replace(choices, features=features, repeats=Repeats(torch.arange(6), which))
    seen = []
    scorer.maps[1].register_forward_hook(lambda _, given, __: seen.append(given[0].shape))
    z = torch.randn(1, 2, 3, dtype=torch.float64)
    present = choices.option_mask[..., None]
    found = torch.where(present, scorer(counted, z, belief)[0], 0)
    alone = torch.where(present, scorer(replace(counted, repeats=None), z, belief)[0], 0)
    assert_close(found, alone)
    assert seen[0] == (6, 4)


def test_the_maps_of_the_posterior_give_one_reward():
    with pytest.raises(ConfigError, match="num_params is 2"):
        TasteReward(4, 3, num_params=2).bind(TastePosterior(4, 3))
