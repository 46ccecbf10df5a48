"""How far one choice can move a preference, over ten thousand people and choices made to mislead."""

import math

import pytest
import torch

from fsa.likelihoods.likelihood import predicted
from fsa.outputs.reward_model import RewardModel
from fsa.types import ChoiceBatch
from tests.factories.reward_models import part, taste_model

RATE = LAPSE = 0.05


@pytest.fixture(scope="module", params=range(4))
def model(request) -> RewardModel:
    noisy = part(
        "likelihoods.label_noise.LabelNoise", base=part("likelihoods.btl.BradleyTerryLuce"), rate=RATE
    )
    model = taste_model(request.param, likelihood=noisy)
    with torch.no_grad():
        model.encoder.lapse.fill_(math.log(LAPSE / (1 - LAPSE)))
        model.encoder.offset.fill_(1.0)
        model.encoder.log_strength.fill_(0.0)
    return model


@torch.no_grad()
def moved(model: RewardModel, known: int, scale: float, people: int = 500) -> torch.Tensor:
    """Log-odds that one more choice moves a preference by: against the person's taste, about the same pair in
    half of all cases."""
    generator = torch.Generator().manual_seed(known)
    features = scale * torch.randn(people, known + 2, 2, 2, generator=generator, dtype=torch.float64)
    features[::2, -1] = features[::2, known]
    shape = features.shape[:3]
    rows = torch.zeros(shape[:2], dtype=torch.long)
    everything = ChoiceBatch(features, torch.zeros(shape, dtype=torch.long), rows)
    stranger = model.encoder(ChoiceBatch(features[:, :0], torch.zeros(people, 0, 2).long(), rows[:, :0]))
    noise = torch.randn(1, people, 3, generator=generator, dtype=torch.float64)
    taste = stranger.mixture.sample(noise)[0][:, torch.randperm(people, generator=generator)]
    reward = model.scorer(everything, taste, stranger)[0, ..., 0]
    places = (reward < reward.flip(-1)).long()
    places[:, known] = 1 - places[:, known]  # what this person would never choose
    target = ChoiceBatch(features[:, -1:], torch.tensor([0, 1]).expand(people, 1, 2), rows[:, :1])
    odds = []
    for n in (known, known + 1):
        belief = model.encoder(ChoiceBatch(features[:, :n], places[:, :n], rows[:, :n]))
        best, _ = predicted(model.likelihood, model.predictive(target, belief), target)
        odds.append(torch.logit(best[:, 0, 0]))
    return (odds[1] - odds[0]).abs()


def test_no_choice_moves_a_preference_by_more_than_bayes_rule_would_at_most(model):
    """Bayes' rule with a share of random choices moves no log-odds by more than log(2 / lapse - 1)."""
    assert model.encoder.most_moved == pytest.approx(math.log(2 / LAPSE - 1))
    worst = torch.cat([moved(model, known, 1.0) for known in (0, 1, 3, 5, 10)])
    assert len(worst) == 2500
    assert worst.max() < model.encoder.most_moved
    assert worst.max() > 0.1  # there was something to move


def test_whatever_the_weights_no_preference_leaves_what_random_answers_leave_open(model):
    worst = torch.cat([moved(model, known, 30.0) for known in (0, 1, 3, 5, 10)])
    assert worst.max() <= 2 * math.log(2 / RATE - 1) + 1e-9
