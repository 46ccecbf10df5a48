import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import ContextEncoder
from fsa.episodes.tokens import ItemTokens
from fsa.errors import ConfigError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.bilinear import Bilinear
from fsa.models.scorer import Scorer
from fsa.objectives.chosen_likelihood import ChosenLikelihood
from fsa.objectives.elbo import EvidenceLowerBound
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.predictive import Predictive
from fsa.training.module import ChoiceModule
from fsa.training.noise import normal_noise
from fsa.training.optimizers import AdamW
from fsa.types import Belief, ChoiceBatch, EpisodeBatch


class CountsChoices(ContextEncoder):
    """Believes as many as there are choices, give or take `std`."""

    def __init__(self, std: float = 0.0) -> None:
        super().__init__()
        self.spread, self.has_spread = std, std > 0

    def forward(self, choices: ChoiceBatch) -> Belief:
        mean = choices.mask.sum(1, keepdim=True).float()
        return Belief(mean, torch.full_like(mean, self.spread))


class LatentTimesFeature(Scorer):
    """Reward z * x."""

    def forward(self, choices: ChoiceBatch, z: torch.Tensor, belief: Belief) -> torch.Tensor:
        return z[:, :, None, None] * choices.features


def choices(features: list[list[list[float]]], counts: list[int]) -> ChoiceBatch:
    """Pairs whose first option was chosen; of user i the first counts[i] are there."""
    x = torch.tensor(features).unsqueeze(-1)
    rows = torch.where(torch.arange(x.shape[1]) < torch.tensor(counts).unsqueeze(1), 0, -1)
    places = torch.where(rows.unsqueeze(-1) >= 0, torch.tensor([0, 1]), -1)
    return ChoiceBatch(x, places, rows)


# Two users with 2 and 1 choices in the context; 2 and 1 targets, chosen less other 0.5, -1 and 2.
BATCH = EpisodeBatch(
    index=torch.tensor([4, 5]),
    user=torch.tensor([0, 1]),
    context=choices([[[0.0, 0.0], [0.0, 0.0]]] * 2, [2, 1]),
    target=choices([[[1.0, 0.5], [0.0, 1.0]], [[2.0, 0.0], [9.0, 9.0]]], [2, 1]),
)


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def module(encoder: ContextEncoder, objective: nn.Module, **more) -> ChoiceModule:
    return ChoiceModule(encoder, LatentTimesFeature(), BradleyTerryLuce(), objective, AdamW(), **more)


def test_the_loss_of_a_batch_made_by_hand():
    parts, scores = module(CountsChoices(), NegativeLogLikelihood())(BATCH)
    first = -(log_sigmoid(2 * 0.5) + log_sigmoid(2 * -1.0)) / 2  # z = 2 choices seen, mean over two targets
    second = -log_sigmoid(1 * 2.0)
    assert_close(parts.loss, torch.tensor((first + second) / 2))  # then over users
    assert scores.shape == (1, 2, 2, 2, 1)


def test_belief_noise_is_that_of_the_seed_and_the_episode():
    gaussian = module(CountsChoices(std=0.5), NegativeLogLikelihood(), num_samples=3, seed=11)
    _, scores = gaussian(BATCH)
    first = normal_noise(11, torch.tensor([4, 5]), 2, 1)
    noise = torch.cat([first, -first])[:3]  # a draw and its opposite
    z = torch.tensor([[2.0], [1.0]]) + 0.5 * noise
    assert_close(scores[..., 0], z[..., None] * BATCH.target.features[..., 0])


def test_the_posterior_reads_context_and_target():
    # Means 4 and 2 against 2 and 1, with std 1: the KL is 2^2 / 2 and 1^2 / 2 nats.
    parts, scores = module(CountsChoices(std=1.0), EvidenceLowerBound(), num_samples=1)(BATCH)
    assert_close(parts.parts["kl"], torch.tensor((2.0 + 0.5) / 2))
    z = torch.tensor([[4.0], [2.0]]) + normal_noise(0, torch.tensor([4, 5]), 1, 1)
    assert_close(scores[..., 0], z[..., None] * BATCH.target.features[..., 0])


def test_vpl_without_kl_and_spread_is_ours_with_a_deep_set_that_has_seen_everything():
    torch.manual_seed(0)
    variational, point = DeepSet(1, 2, spread=True).eval(), DeepSet(1, 2).eval()
    point.load_state_dict({n: t for n, t in variational.state_dict().items() if n in point.state_dict()})
    # A precision of 1e26 that every choice adds leaves no spread.
    torch.nn.init.constant_(variational.std.added.bias, 1e26)
    scorer, options = Bilinear(1, 2).eval(), (BradleyTerryLuce(),)
    vpl = ChoiceModule(variational, scorer, *options, EvidenceLowerBound(kl_weight=0.0), AdamW())
    ours = ChoiceModule(point, scorer, *options, NegativeLogLikelihood(), AdamW())
    told, _ = ours(replace(BATCH, context=BATCH.everything))
    assert_close(vpl(BATCH)[0].loss, told.loss)
    assert (ours(BATCH)[0].loss - told.loss).abs() > 1e-5  # what else it has seen matters


def test_likelihoods_of_chosen_responses_are_a_policys():
    with pytest.raises(ConfigError, match="ChosenLikelihood needs a policy, but Bilinear is none"):
        ChoiceModule(DeepSet(1, 2), Bilinear(1, 2), BradleyTerryLuce(), ChosenLikelihood(), AdamW())


def test_what_an_objective_makes_of_scores_is_part_of_the_loss(monkeypatch):
    module = ChoiceModule(
        CountsChoices(), LatentTimesFeature(), BradleyTerryLuce(), NegativeLogLikelihood(), AdamW()
    )
    plain, scores = module(BATCH)
    monkeypatch.setattr(
        NegativeLogLikelihood,
        "with_scores",
        lambda self, parts, scores, target: replace(parts, loss=parts.loss + scores.sum()),
    )
    assert_close(module(BATCH)[0].loss, plain.loss + scores.sum())


def test_a_kept_answer_is_read_under_its_own_users_belief(monkeypatch):
    seen = []

    def divergence(self, tokens, z):
        seen.append(z)
        return 10 * z[:, 0]

    monkeypatch.setattr(LatentTimesFeature, "divergence", divergence)
    kept = ItemTokens.of([np.arange(5), np.arange(3)], [2, 2]).rows(np.array([0, 1]), np.array([0, 1]))
    with_kept = module(CountsChoices(), NegativeLogLikelihood(), kept_weight=0.5)
    parts, _ = with_kept(replace(BATCH, kept=kept))
    assert seen[0].tolist() == [[1.0], [2.0]]  # the shorter answer first, which is the second user's
    assert_close(parts.parts["kept"], torch.tensor(15.0))
    assert_close(parts.loss, with_kept(BATCH)[0].loss + 0.5 * 15)


def test_only_a_policy_has_a_reference_to_diverge_from():
    kept = ItemTokens.of([np.arange(5)], [2]).rows(np.array([0]), np.array([0]))
    with pytest.raises(ConfigError, match="Bilinear is no policy"):
        Bilinear(1, 2).divergence(kept, torch.zeros(1, 2))


def test_a_point_encoder_with_the_elbo_is_refused():
    with pytest.raises(
        ConfigError, match="EvidenceLowerBound needs a Gaussian belief, but DeepSet gives points"
    ):
        ChoiceModule(
            DeepSet(1, 2),
            Bilinear(1, 2),
            BradleyTerryLuce(),
            EvidenceLowerBound(),
            AdamW(),
            context_sizes=(0,),
        )


def validated(encoder: ContextEncoder) -> dict[str, float]:
    """What a validation step logs."""
    part, logged = module(encoder, NegativeLogLikelihood(), context_sizes=(7,)), {}
    part.log = lambda name, value, **_: logged.update({name: float(value)})
    part.validation_step(BATCH, 0)
    return logged


def test_validation_by_hand():
    logged = validated(CountsChoices())
    first = -(log_sigmoid(1.0) + log_sigmoid(-2.0)) / 2
    assert logged == pytest.approx(
        {"validation/nll_7": (first - log_sigmoid(2.0)) / 2, "validation/accuracy_7": (0.5 + 1) / 2}
    )


def test_validation_of_a_gaussian_belief_averages_probabilities_over_the_same_latents_each_time():
    logged = validated(CountsChoices(std=2.0))
    assert logged == validated(CountsChoices(std=2.0))
    first = normal_noise(0, torch.tensor([4, 5]), 8, 1)
    z = torch.tensor([[2.0], [1.0]]) + 2 * torch.cat([first, -first])  # [s, b, 1]
    p = torch.sigmoid(z * torch.tensor([[0.5, -1.0], [2.0, 0.0]])).mean(0)
    expected = -((p[0, 0].log() + p[0, 1].log()) / 2 + p[1, 0].log()) / 2
    assert logged["validation/nll_7"] == pytest.approx(float(expected), rel=1e-5)


def test_members_of_an_ensemble_are_trained_each_by_its_own_likelihood(monkeypatch):
    module = ChoiceModule(
        CountsChoices(), LatentTimesFeature(), BradleyTerryLuce(), NegativeLogLikelihood(), AdamW()
    )
    _, scores = module(BATCH)
    ours, other = Predictive(scores), Predictive(-scores)
    losses = []
    for predictive in (ours, other, Predictive(torch.cat([scores, -scores]), members=2)):
        monkeypatch.setattr(LatentTimesFeature, "predictive", lambda *_, given=predictive: given)
        losses.append(module(BATCH)[0].loss)
    assert_close(losses[2], (losses[0] + losses[1]) / 2)
    assert losses[0] != losses[1]
