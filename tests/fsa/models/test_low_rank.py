import math

import torch
from torch.testing import assert_close

from fsa.encoders.no_context import NoContext
from fsa.encoders.verbatim import Verbatim
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.bilinear import Bilinear
from fsa.models.low_rank import LowRankReward
from fsa.objectives.joint_likelihood import JointLikelihood
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW
from fsa.types import Belief, ChoiceBatch, EpisodeBatch


def batch(users: int = 4) -> EpisodeBatch:
    generator = torch.Generator().manual_seed(0)
    parts = []
    for n in (3, 5):
        best = torch.randint(2, (users, n, 1), generator=generator)
        features = torch.randn(users, n, 2, 6, generator=generator)
        parts.append(ChoiceBatch(features, (torch.arange(2) != best).long(), torch.ones(users, n)))
    return EpisodeBatch(torch.arange(users), torch.arange(users), *parts)


def test_the_reward_of_a_user_by_hand():
    scorer = LowRankReward(2, 1, rank=2).eval()
    scorer.basis.weight.data = torch.tensor([[2.0, 0.0], [-2.0, 0.0]])
    # Three times the option with feature 1 over that with 0, once the other way round: gaps are (2, -2) and
    # (-2, 2), the margin of a choice is 2 (w1 - w2) = log 3, so w1 = 1/2 + log(3) / 4.
    features = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(1, 4, 2, 2)
    memory = ChoiceBatch(features, torch.tensor([[[0, 1], [0, 1], [0, 1], [1, 0]]]), torch.ones(1, 4))
    belief = Verbatim(2, 1)(memory)
    expected = torch.tensor([[0.5 + math.log(3) / 4, 0.5 - math.log(3) / 4]])
    assert_close(scorer.weights(belief), expected, atol=1e-5, rtol=0)
    target = ChoiceBatch(
        torch.tensor([[[[1.0, 5.0], [-2.0, 5.0]]]]), torch.tensor([[[0, 1]]]), torch.ones(1, 1)
    )
    scores = scorer(target, torch.zeros(1, 1, 1), belief).flatten()
    assert_close(scores, torch.tensor([math.log(3), -2 * math.log(3)]), atol=1e-4, rtol=0)


def test_rank_1_is_pooled_bradley_terry_luce():
    """The same scores, training loss and gradient as a pooled model with the same weights."""
    ours = LowRankReward(6, 2, rank=1, dropout=0.0)
    theirs = Bilinear(6, 2, dropout=0.0)
    theirs.common.weight.data = ours.basis.weight.data.clone()
    low_rank = ChoiceModule(Verbatim(6, 2), ours, BradleyTerryLuce(), JointLikelihood(), AdamW())
    pooled = ChoiceModule(NoContext(6, 2), theirs, BradleyTerryLuce(), NegativeLogLikelihood(), AdamW())
    (mine, my_scores), (other, other_scores) = low_rank(batch()), pooled(batch())
    assert_close(my_scores, other_scores)
    assert_close(mine.loss, other.loss)
    mine.loss.backward(), other.loss.backward()
    assert_close(ours.basis.weight.grad, theirs.common.weight.grad)


def test_training_solves_for_weights_on_context_and_target():
    torch.manual_seed(0)
    scorer, episodes = LowRankReward(6, 2, rank=3, dropout=0.0), batch()
    module = ChoiceModule(Verbatim(6, 2), scorer, BradleyTerryLuce(), JointLikelihood(), AdamW())
    everything = Verbatim(6, 2)(episodes.everything)
    expected = scorer(episodes.target, torch.zeros(1, 4, 2), everything)
    assert_close(module(episodes)[1], expected)
    less = scorer(episodes.target, torch.zeros(1, 4, 2), Verbatim(6, 2)(episodes.context))
    assert (less - expected).abs().max() > 1e-3


def test_users_of_known_tastes_get_their_weights_back():
    """Many choices made by a mixture of two rewards show how much of each there is."""
    torch.manual_seed(0)
    scorer = LowRankReward(3, 1, rank=2).eval()
    scorer.basis.weight.data = torch.tensor([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    true = torch.tensor([[0.2, 0.8], [0.7, 0.3]])
    features = torch.randn(2, 4000, 2, 3)
    rewards = torch.einsum("bnkr,br->bnk", features @ scorer.basis.weight.T, true)
    first_wins = torch.rand(2, 4000) < torch.sigmoid(rewards[..., 0] - rewards[..., 1])
    places = torch.stack([~first_wins, first_wins], -1).long()
    belief = Belief(torch.zeros(2, 1), torch.zeros(2, 1), ChoiceBatch(features, places, torch.ones(2, 4000)))
    assert_close(scorer.weights(belief), true, atol=0.05, rtol=0)
