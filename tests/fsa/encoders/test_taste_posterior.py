import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.taste_posterior import TastePosterior
from fsa.types import ChoiceBatch

UNLIKELY = 1e-9  # a lapse that leaves Bayes' rule as it is


def one_direction(steepness: float, population: float = 0.0, **options) -> TastePosterior:
    """A latent of one dimension; a choice between 1 and 0 has log-odds of population + steepness * z."""
    options = {"components": 1, "units": 0, "lapse": UNLIKELY, **options}
    encoder = TastePosterior(1, 1, **options).double().eval()
    encoder.taste.wide.weight.data.fill_(steepness)
    encoder.population.wide.weight.data.fill_(population)
    encoder.raw_rate.data.fill_(-30)  # evidence adds up
    return encoder


def picked(*better: float) -> ChoiceBatch:
    """One user, who preferred each number to 0."""
    features = torch.tensor([[[[number], [0.0]] for number in better]], dtype=torch.float64)
    places = torch.tensor([[[0, 1]] * len(better)])
    return ChoiceBatch(features, places, torch.arange(len(better))[None])


def by_quadrature(log_density, log_odds) -> tuple[float, float]:
    """Mean and std of z of a log-density after choices of some log-odds, by a sum over a fine grid."""
    z = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    total = log_density(z) + sum(torch.nn.functional.logsigmoid(odds(z)) for odds in log_odds)
    weight = total.softmax(0)
    mean = (weight * z).sum()
    return float(mean), float(((weight * z.square()).sum() - mean.square()).sqrt())


def test_mean_and_std_are_near_the_exact_posterior():
    for choices in ((1.0,), (1.0, 1.0, 1.0), (1.0, -1.0), (2.0, 1.0, -0.5, 1.0)):
        odds = [lambda z, x=x: 1.5 * x * z for x in choices]
        mean, std = by_quadrature(lambda z: -z.square() / 2, odds)
        belief = one_direction(1.5, updates=6)(picked(*choices))
        assert abs(belief.mean.item() - mean) < 0.1
        assert 0.8 * std < belief.std.item() < 1.05 * std


def test_evidence_is_read_against_the_population():
    """Everyone prefers the larger number by 2 nats: choosing it says less of a person than refusing it."""
    odds = {True: [lambda z: 2 + z], False: [lambda z: -2 - z]}
    encoder = one_direction(1.0, population=2.0, updates=6)
    found = {with_the_crowd: encoder(picked(1.0 if with_the_crowd else -1.0)) for with_the_crowd in odds}
    for with_the_crowd, choices in odds.items():
        mean, _ = by_quadrature(lambda z: -z.square() / 2, choices)
        assert found[with_the_crowd].mean.item() == pytest.approx(mean, abs=0.06)
    assert found[True].mean.item() < -0.25 * found[False].mean.item()


def test_two_kinds_of_people_are_told_apart_by_bayes_rule():
    """Kinds at -2 and +2, narrow: one choice of log-odds z is e^2 times as likely of the second."""
    encoder = one_direction(1.0, components=2)
    encoder.place.data = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
    encoder.log_std.data.fill_(-6.0)
    share = 1 / (1 + torch.tensor(-2.0, dtype=torch.float64).exp())
    assert_close(encoder(picked(1.0)).mean[0, 0], 2 * (2 * share - 1), atol=1e-3, rtol=0)
    # Two choices that contradict each other leave both kinds as likely as they were: the std is 2.
    belief = encoder(picked(1.0, -1.0))
    assert_close(belief.mean[0, 0], torch.tensor(0.0, dtype=torch.float64), atol=1e-6, rtol=0)
    assert_close(belief.std[0, 0], torch.tensor(2.0, dtype=torch.float64), atol=1e-2, rtol=0)


def test_one_covariance_of_many_components_is_near_bayes_rule():
    """A prior of three wide components against a sum over a fine grid."""
    encoder = one_direction(1.5, components=3, updates=6)
    encoder.place.data = torch.tensor([[-1.5], [0.0], [1.5]], dtype=torch.float64)
    encoder.log_std.data.fill_(math.log(0.6))

    def log_density(z):
        return torch.stack([-((z - place) ** 2) / (2 * 0.36) for place in (-1.5, 0.0, 1.5)]).logsumexp(0)

    for choices in ((), (1.0,), (1.0, 1.0, -1.0), (1.0,) * 6):
        mean, std = by_quadrature(log_density, [lambda z, x=x: 1.5 * x * z for x in choices])
        belief = (
            encoder(picked(*choices)) if choices else encoder(picked(1.0).of_user(0)._map(lambda t: t[:, :0]))
        )
        assert abs(belief.mean.item() - mean) < 0.12
        assert 0.8 * std < belief.std.item() < 1.05 * std


def test_a_choice_that_contradicts_many_moves_little_where_some_are_random():
    many = [1.0] * 12
    moved = {}
    for lapse in (UNLIKELY, 0.2):
        encoder = one_direction(4.0, lapse=lapse, updates=8)
        moved[lapse] = encoder(picked(*many)).mean.item() - encoder(picked(*many, -1.0)).mean.item()
    assert 0 < moved[0.2] < 0.5 * moved[UNLIKELY]


def test_a_stranger_has_the_population_reward():
    encoder = TastePosterior(3, 2).double().eval()
    encoder.log_share.data = torch.linspace(-1, 1, 64, dtype=torch.float64)
    nobody = ChoiceBatch(torch.zeros(1, 0, 2, 3).double(), torch.zeros(1, 0, 2).long(), torch.zeros(1, 0))
    assert_close(encoder(nobody).mean, torch.zeros(1, 2).double())


def test_the_prior_over_weights_is_half_the_sum_of_squares_by_precision():
    encoder = TastePosterior(2, 1, units=0, taste_precision=4.0, population_precision=10.0)
    encoder.population.wide.weight.data = torch.tensor([[1.0, 2.0]])
    encoder.taste.wide.weight.data = torch.tensor([[3.0, 0.0]])
    assert_close(encoder.prior(), torch.tensor(10 * 5 / 2 + 4 * 9 / 2))


@pytest.mark.parametrize(
    "wrong", [{"lapse": 0.0}, {"components": 0}, {"updates": 0}, {"updates": 1001}, {"taste_precision": -1}]
)
def test_arguments_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="lapse is a share"):
        TastePosterior(2, 1, **wrong)


def test_what_one_choice_says_is_bounded_by_the_lapse():
    """Of two narrow kinds, far apart: odds of one to the other move by log(2 / lapse - 1) and no more."""
    lapse = 0.05
    encoder = one_direction(50.0, components=2, lapse=lapse)
    encoder.place.data = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    encoder.log_std.data.fill_(-9.0)
    assert encoder.most_moved == pytest.approx(math.log(2 / lapse - 1))
    many = [1.0] * 6
    odds = []
    for choices in (many, [*many, -1.0], [*many, -1.0, -1.0]):
        log_weight = encoder(picked(*choices)).mixture.log_weight[0].detach()
        odds.append(float(log_weight[1] - log_weight[0]))
    assert odds[0] == pytest.approx(6 * encoder.most_moved, rel=1e-3)
    assert odds[0] - odds[1] == pytest.approx(encoder.most_moved, rel=1e-3)
    assert odds[1] - odds[2] == pytest.approx(encoder.most_moved, rel=1e-3)


def test_one_choice_against_ten_does_not_turn_a_person_over():
    encoder = one_direction(20.0, components=64, lapse=0.05)
    many = picked(*[1.0] * 10)
    assert encoder(many).mean.item() > 0
    assert encoder(picked(*[1.0] * 10, -1.0)).mean.item() > 0.5 * encoder(many).mean.item()


def test_a_belief_says_how_many_choices_it_has_seen():
    encoder = TastePosterior(2, 1)
    places = torch.tensor([[[0, 1], [1, 0], [-1, -1]]])
    choices = ChoiceBatch(torch.randn(1, 3, 2, 2), places, torch.arange(3)[None])
    assert encoder(choices).seen.tolist() == [2.0]
    assert encoder(replace(choices, weight=torch.tensor([[0.5, 0.25, 1.0]]))).seen.tolist() == [0.75]


def member_of(whole: TastePosterior, member: int) -> TastePosterior:
    """One model of an ensemble of two, each of two latents, three components and four units."""
    alone = TastePosterior(2, 2, units=4, components=3).double().eval()
    z, units = slice(2 * member, 2 * member + 2), slice(4 * member, 4 * member + 4)
    alone.population.load_state_dict(whole.population.state_dict())
    alone.taste.wide.weight.data = whole.taste.wide.weight.data[z]
    alone.taste.deep[0].weight.data = whole.taste.deep[0].weight.data[units]
    alone.taste.deep[0].bias.data = whole.taste.deep[0].bias.data[units]
    alone.taste.deep[-1].weight.data = whole.taste.deep[-1].weight.data[z, units]
    alone.place.data, alone.log_std.data = whole.place.data[:, z], whole.log_std.data[z]
    alone.log_share.data = whole.log_share.data[member]
    return alone


def test_members_are_models_of_people_of_equal_weight():
    torch.manual_seed(0)
    whole = TastePosterior(2, 4, units=4, components=6, members=2).double().eval()
    whole.log_share.data.normal_()
    features = torch.randn(1, 5, 2, 2, dtype=torch.float64)
    choices = ChoiceBatch(features, torch.tensor([[[0, 1]] * 5]), torch.arange(5)[None])
    belief = whole(choices)
    mixture, means = belief.mixture, []
    for member in (0, 1):
        own = member_of(whole, member)(choices)
        components, z = slice(3 * member, 3 * member + 3), slice(2 * member, 2 * member + 2)
        assert_close(mixture.log_weight[:, components], own.mixture.log_weight - math.log(2))
        assert_close(mixture.means[:, components, z], own.mixture.means)
        covariance = mixture.factor @ mixture.factor.mT
        assert_close(covariance[:, z, z], own.mixture.factor @ own.mixture.factor.mT / 2)
        means.append(own.mean / 2)
    assert mixture.means[:, :3, 2:].eq(0).all()
    assert mixture.means[:, 3:, :2].eq(0).all()
    assert_close(belief.mean, torch.cat(means, -1))


def test_each_member_has_the_prior_that_it_would_have_alone():
    whole = TastePosterior(2, 4, units=4, components=6, members=2)
    of_tastes = sum(30 * member_of(whole.double(), member).taste.prior() for member in (0, 1)) / 2
    assert_close(whole.prior(), 3 * whole.population.prior() + of_tastes)


@pytest.mark.parametrize(
    ("given", "members"), [((3, 48, 63), 3), ((3, 48, 64), 2), ((3, 2, 63), 1), ((0, 4, 4), 1)]
)
def test_there_are_as_many_members_as_can_share_evenly(given, members):
    most, d_belief, components = given
    encoder = TastePosterior(2, d_belief, components=components, members=most)
    assert encoder.members == members
    assert encoder(picked_of_two()).mean.shape == (1, d_belief)


def picked_of_two() -> ChoiceBatch:
    """One user who preferred one point to another."""
    return ChoiceBatch(
        torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]]), torch.tensor([[[0, 1]]]), torch.zeros(1, 1)
    )
