import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.no_context import NoContext
from fsa.encoders.taste_posterior import TastePosterior
from fsa.errors import ConfigError
from fsa.models.taste_reward import TasteReward
from fsa.types import Belief, ChoiceBatch


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


def test_the_maps_of_the_posterior_give_one_reward():
    with pytest.raises(ConfigError, match="num_params is 2"):
        TasteReward(4, 3, num_params=2).bind(TastePosterior(4, 3))
