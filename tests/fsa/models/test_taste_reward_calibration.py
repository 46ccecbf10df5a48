"""How sure a trained default is, fitted on validation choices."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.taste_posterior import TastePosterior
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.taste_reward import TasteReward
from fsa.types import Belief, ChoiceBatch, EpisodeBatch


def log_prob(predictive, choices):
    return predictive.log_mean(BradleyTerryLuce().log_prob(predictive.scores, choices.places))


def told(
    scorer: TasteReward, encoder: TastePosterior, differences: list[list[float]], wins: list[int], n: int
):
    """Calibrate on pairs of these differences, each chosen so often of four times by strangers."""
    rows = torch.tensor([d for d in differences for _ in range(4)])[None]
    first = torch.tensor([i < won for won in wins for i in range(4)]).long()
    features = torch.stack([rows, torch.zeros_like(rows)], 2)
    places = torch.stack([1 - first, first], -1)[None]
    target = ChoiceBatch(features, places, torch.arange(len(first))[None])
    nothing = replace(target, places=torch.full_like(places, -1))
    batch = EpisodeBatch(torch.zeros(1).long(), torch.zeros(1).long(), nothing, target)

    return scorer.calibrate(encoder, log_prob, [batch], n)


def linear(population: list[float], taste: list[float]) -> tuple[TasteReward, TastePosterior]:
    encoder = TastePosterior(2, 1, units=0, components=1)
    encoder.population.wide.weight.data = torch.tensor([population])
    encoder.taste.wide.weight.data = torch.tensor([taste])
    scorer = TasteReward(2, 1, units=0)
    scorer.bind(encoder)
    return scorer, encoder


def test_rewards_are_made_as_large_as_validation_choices_say():
    """Three of four choices at a difference d are log-odds of log 3: rewards of log(3) / 2 d are doubled."""
    scorer, encoder = linear([math.log(3) / 2, 0.0], [0.0, 0.0])
    nll = told(scorer, encoder, [[1.0, 0.0], [-1.0, 0.0]], [3, 1], 10**6)
    assert_close(scorer.factor, torch.tensor(2.0), rtol=1e-3, atol=0)
    assert_close(encoder.population.wide.weight, torch.tensor([[math.log(3) / 2, 0.0]]))  # as it was
    assert abs(nll.item() - (-0.75 * math.log(0.75) - 0.25 * math.log(0.25))) < 1e-6


@pytest.mark.parametrize(("n", "is_worth_it"), [(90, False), (150, True)])
def test_what_is_worth_less_than_a_nat_a_number_changes_nothing(n: int, is_worth_it: bool):
    """Doubled rewards are worth 0.031 nats a choice here: 2.8 of 90 choices."""
    scorer, encoder = linear([math.log(3) / 2, 0.0], [0.0, 0.0])
    nll = told(scorer, encoder, [[1.0, 0.0], [-1.0, 0.0]], [3, 1], n)
    as_it_was = 0.75 * math.log1p(3**-0.5) + 0.25 * math.log1p(3**0.5)
    assert (scorer.factor > 1.5, nll.item() < as_it_was - 0.02) == (is_worth_it, is_worth_it)
    assert is_worth_it or (scorer.factor, scorer.width, scorer.growth[0]) == (1, 1, 0)


def test_a_stranger_s_doubt_is_narrowed_where_the_population_s_odds_are_right_as_they_are():
    """The first kind of pair fixes the size of rewards; the second is too even under a wide belief."""
    scorer, encoder = linear([math.log(3), math.log(3)], [0.0, 1.5])
    told(scorer, encoder, [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [3, 1, 3, 1], 10**6)
    assert scorer.width < 0.5
    assert_close(scorer.factor, torch.tensor(1.0), rtol=0.05, atol=0)


def test_without_validation_choices_nothing_changes():
    scorer, encoder = linear([math.log(3) / 2, 0.0], [0.0, 3.0])
    told(scorer, encoder, [[1.0, 0.0], [0.0, 1.0]], [3, 1], 0)
    assert (scorer.factor, scorer.width, scorer.growth[0]) == (1, 1, 0)


def strangers_and_known(scorer: TasteReward, encoder: TastePosterior, seen: int) -> None:
    """Calibrate on a pair that strangers choose 6 times of 8, and people 5 of 8 who are known by choices
    that say nothing of their taste."""
    first = torch.tensor([[1, 1, 1, 0, 1, 1, 1, 0], [1, 0, 1, 0, 1, 1, 0, 1]])
    features = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(2, 8, 2, 2)
    target = ChoiceBatch(features, torch.stack([1 - first, first], -1), torch.arange(16).view(2, 8))
    places = torch.tensor([0, 1]).repeat(2, seen, 1)
    places[0] = -1  # the stranger's
    context = ChoiceBatch(torch.zeros(2, seen, 2, 2), places, torch.arange(2 * seen).view(2, -1))
    batch = EpisodeBatch(torch.zeros(2).long(), torch.zeros(2).long(), context, target)

    scorer.calibrate(encoder, log_prob, [batch], 10**6)


def test_rewards_shrink_with_the_choices_seen_where_validation_says_so():
    """Log-odds of log 3 are right for strangers, and of log 5/3 after eight choices."""
    scorer, encoder = linear([math.log(3), 0.0], [0.0, 0.0])
    strangers_and_known(scorer, encoder, 8)
    left = math.log(5 / 3) / math.log(3)
    assert_close(scorer.factor, torch.tensor(1.0), rtol=1e-2, atol=0)
    power, most = scorer.growth
    assert most == 8
    assert_close(9**power, torch.tensor(left), rtol=1e-2, atol=0)
    features, places = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]]), torch.tensor([[[0, 1]]])
    pair = ChoiceBatch(features, places, torch.zeros(1, 1).long())
    for count, by in ((0.0, 1.0), (2.0, left ** (math.log(3) / math.log(9))), (8.0, left), (100.0, left)):
        belief = replace(Belief.point(torch.zeros(1, 1)), seen=torch.tensor([count]))
        scores = scorer.predictive(pair, belief, torch.zeros(1, 1, 1)).scores[0, 0, 0, :, 0]
        assert float((scores[0] - scores[1]).detach()) == pytest.approx(math.log(3) * by, rel=2e-2)


def test_a_stored_calibration_makes_room_for_itself():
    scorer, stored = TasteReward(4, 3), {"factor": torch.tensor(2.0), "width": torch.tensor(0.5)}
    stored["growth"] = torch.tensor([-0.1, 10.0])
    assert not stored.keys() & scorer.state_dict().keys()
    scorer.resize_buffers(stored)
    scorer.load_state_dict({**scorer.state_dict(), **stored})
    assert (scorer.factor, scorer.width) == (2.0, 0.5)
    assert_close(scorer.growth, stored["growth"])
