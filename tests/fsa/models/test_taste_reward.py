import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.no_context import NoContext
from fsa.encoders.taste_posterior import TastePosterior
from fsa.errors import ConfigError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.mixtures import Mixture
from fsa.models.scorer import Scorer
from fsa.models.taste_reward import TasteReward
from fsa.types import Belief, ChoiceBatch, EpisodeBatch, Repeats


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
    torch.manual_seed(0)  # whatever ran before
    encoder, scorer = TastePosterior(4, 3, std=3.0).double().eval(), TasteReward(4, 3).double().eval()
    scorer.bind(encoder)
    features = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    places = torch.tensor([[0, 1, -1], [1, 0, 1]]).expand(2, 2, 3)
    choices = ChoiceBatch(features, places, torch.ones(2, 2).long())
    return scorer, choices, encoder(options()._map(lambda t: t.double() if t.is_floating_point() else t))


def gaussian(belief: Belief) -> Belief:
    """The Gaussian of a mixture's mean and covariance."""
    return replace(belief, mixture=None)


def test_a_pair_is_averaged_over_its_normal_difference():
    scorer, choices, belief = believed()
    belief = gaussian(belief)
    noise = torch.randn(200_000, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        quiet = scorer.predictive(choices, belief, noise[:64]).scores[:, :, 0, :2, 0]
        loud = scorer(choices, belief.sample(noise), belief)[:, :, 0, :2, 0]
    assert (loud.diff().std(0) > 0.3).all()  # there is something to average over
    assert_close(quiet.softmax(-1).mean(0), loud.softmax(-1).mean(0), atol=3e-3, rtol=0)
    assert_close(quiet.mean(0), loud.mean(0), atol=2e-2, rtol=0)


def test_a_pair_is_averaged_over_the_components_of_a_mixture():
    """Against samples of the mixture, which differ from those of its Gaussian."""
    scorer, choices, belief = believed()
    mixture = belief.mixture
    assert mixture is not None
    noise = torch.randn(200_000, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        found = scorer.predictive(choices, belief, noise[:1])
        chance = found.mean(found.scores[:, :, :, :2, 0].softmax(-1))[:, 0]
        loud = scorer(choices, mixture.sample(noise)[0], belief)[:, :, 0, :2, 0]
    assert found.scores.shape[0] == 64
    # The logistic function averaged over a normal in closed form is off by up to 0.02.
    assert_close(chance, loud.softmax(-1).mean(0), atol=1.5e-2, rtol=0)


def two_kinds(shares: tuple[float, float], std: float = 1e-6) -> tuple[TasteReward, ChoiceBatch, Belief]:
    """Kinds at -3 and 3 who like or dislike a feature, and one pair whose first option has 1 of it."""
    scorer = TasteReward(1, 1, units=0).double().eval()
    assert scorer.taste is not None
    scorer.taste.wide.weight.data.fill_(1.0)
    log_weight = torch.tensor([shares], dtype=torch.float64).log()
    means = torch.tensor([[[-3.0], [3.0]]], dtype=torch.float64)
    belief = Belief.of_mixture(Mixture(log_weight, means, torch.full((1, 1, 1), std).double()))
    pair = ChoiceBatch(
        torch.tensor([[[[1.0], [0.0]]]]).double(), torch.tensor([[[0, 1]]]), torch.zeros(1, 1).long()
    )
    return scorer, pair, belief


def test_of_two_kinds_of_people_each_counts_by_its_share():
    scorer, pair, belief = two_kinds((0.25, 0.75))
    found = scorer.predictive(pair, belief, torch.zeros(1, 1, 1).double())
    chance = found.mean(found.scores[..., 0].softmax(-1))[0, 0, 0]
    likes = 1 / (1 + math.exp(-3))
    assert chance.item() == pytest.approx(0.25 * (1 - likes) + 0.75 * likes, abs=1e-6)
    log_prob = found.log_mean(BradleyTerryLuce().log_prob(found.scores, pair.places))
    assert log_prob.item() == pytest.approx(chance.log().item())


def test_a_reward_is_between_the_kinds_ninety_percent_of_the_time():
    """At shares of a half: mean 0, std 3, and both kinds inside; at 0.97 the other kind is outside."""
    for shares, mean, low, high in (((0.5, 0.5), 0.0, -3.0, 3.0), ((0.03, 0.97), 2.82, 3.0, 3.0)):
        scorer, pair, belief = two_kinds(shares)
        spread = scorer.spread(pair, belief, torch.zeros(1, 1, 1).double())
        assert spread.mean[0, 0, 0].item() == pytest.approx(mean)
        assert spread.std[0, 0, 0].item() == pytest.approx(6 * math.sqrt(shares[0] * shares[1]), rel=1e-6)
        assert spread.low[0, 0, 0].item() == pytest.approx(low, abs=1e-4)
        assert spread.high[0, 0, 0].item() == pytest.approx(high, abs=1e-4)
        assert spread.std[0, 0, 1] == spread.low[0, 0, 1] == 0  # nothing to like or dislike


def test_the_spread_of_a_gaussian_is_its_own():
    scorer, choices, belief = believed()
    belief = gaussian(belief)
    noise = torch.randn(200_000, 1, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    with torch.no_grad():
        exact, sampled = (
            scorer.spread(choices, belief, noise[:1]),
            Scorer.spread(scorer, choices, belief, noise),
        )
    for name in ("mean", "std", "low", "high"):
        here = choices.option_mask
        assert_close(getattr(exact, name)[here], getattr(sampled, name)[here], atol=0.05, rtol=0.02)


def test_more_options_under_a_mixture_are_samples_with_its_gradient():
    scorer, choices, belief = believed()
    noise = torch.randn(16, 2, 3, dtype=torch.float64)
    found = scorer.predictive(choices, belief, noise)
    assert found.scores.shape == (64, 2, 2, 3, 1)
    assert found.log_weight is not None
    assert_close(found.log_weight.exp().sum(0), torch.ones(2, 2).double())
    assert found.log_weight[16:, :, 1].isneginf().all()  # 16 samples of a choice among three
    log_prob = found.log_mean(BradleyTerryLuce().log_prob(found.scores, choices.places))
    encoder_map = scorer.maps[1].wide.weight
    assert torch.autograd.grad(log_prob.sum(), encoder_map)[0].isfinite().all()


def test_more_options_are_samples_and_a_pair_beside_them_stays_as_it_is():
    scorer, choices, belief = believed()
    belief = gaussian(belief)
    noise = torch.randn(8, 2, 3, dtype=torch.float64)
    together = scorer.predictive(choices, belief, noise).scores
    assert_close(together[:, :, 1], scorer(choices, belief.sample(noise), belief)[:, :, 1])
    pair = ChoiceBatch(choices.features[:, :1, :2], choices.places[:, :1, :2], choices.rows[:, :1])
    assert_close(together[:, :, :1, :2], scorer.predictive(pair, belief, noise).scores)


def test_a_point_belief_needs_no_average():
    scorer, choices, belief = believed()
    point = Belief.point(belief.mean)
    found = scorer.predictive(choices, point, torch.zeros(1, 2, 3, dtype=torch.float64))
    assert_close(found.scores, scorer(choices, belief.mean.unsqueeze(0), point))


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


@torch.no_grad()
def test_the_spread_of_a_difference_is_that_of_samples_and_texts_add_to_it():
    torch.manual_seed(0)
    encoder, scorer = TastePosterior(5, 4, std=1.0).eval().double(), TasteReward(5, 4).eval().double()
    scorer.bind(encoder)
    features = torch.randn(2, 3, 2, 5, dtype=torch.float64)
    places = torch.tensor([1, 0]).expand(2, 3, 2)
    pairs = ChoiceBatch(features, places, torch.zeros(2, 3).long())
    belief = encoder(pairs)
    spread = scorer.spread_between(pairs, belief)
    latents, _ = belief.mixture.sample(torch.randn(20000, 2, 4))
    rewards = scorer(pairs, latents, belief)[..., 0]
    gaps = rewards[..., 1] - rewards[..., 0]
    assert_close(spread.mean, gaps.mean(0), atol=0.1, rtol=0.05)
    assert_close(spread.std, gaps.std(0), atol=0.1, rtol=0.05)
    assert_close(spread.low, gaps.quantile(0.05, dim=0), atol=0.2, rtol=0.05)
    episodes = EpisodeBatch(torch.arange(2), torch.arange(2), pairs, pairs)
    scorer.fit_doubt(encoder, [episodes], 6)
    wider = scorer.spread_between(pairs, belief)
    assert_close(wider.mean, spread.mean)
    assert (wider.std > spread.std).all()
    assert (wider.low < spread.low).all()
    assert (wider.high > spread.high).all()
    alone = scorer.spread(pairs, belief, torch.zeros(1, 1, 4))
    assert (alone.std > belief.std_along(scorer.maps[1].of(pairs))).all()


def test_intervals_do_not_go_by_the_size_that_counts_in_probabilities():
    scorer, choices, belief = believed()
    noise = torch.zeros(16, 2, 3).double()
    before, odds = scorer.spread(choices, belief, noise), scorer.predictive(choices, belief, noise).scores
    scorer.factor, scorer.width = torch.tensor(3.0), torch.tensor(1.0)
    assert_close(scorer.spread(choices, belief, noise).low, before.low)
    assert_close(scorer.spread(choices, belief, noise).mean, before.mean)
    larger = scorer.predictive(choices, belief, noise).scores
    assert (
        larger[:, :, 0, 0].sub(larger[:, :, 0, 1]).abs().sum()
        > odds[:, :, 0, 0].sub(odds[:, :, 0, 1]).abs().sum()
    )


def test_intervals_do_not_go_by_what_counts_in_probabilities():
    scorer, choices, belief = believed()
    noise = torch.zeros(16, 2, 3).double()
    before, wide = scorer.spread(choices, belief, noise), scorer.predictive(choices, belief, noise)
    scorer.factor, scorer.width = torch.ones(()), torch.zeros(())
    assert_close(scorer.spread(choices, belief, noise).std, before.std)
    narrow = scorer.predictive(choices, belief, noise)
    at_mean = scorer(choices, belief.mean[None], belief)[0, :, 0, :2, 0].softmax(-1)
    assert_close(narrow.mean(narrow.scores[:, :, 0, :2, 0].unsqueeze(2).softmax(-1))[:, 0], at_mean)
    assert not torch.allclose(wide.scores[0], narrow.scores[0])
