"""What both mixtures promise: LoRe and PAL."""

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.errors import ConfigError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.ideal_point import IdealPoint
from fsa.models.low_rank import LowRankReward
from fsa.models.mixture import Mixture
from fsa.types import Belief, ChoiceBatch


def choices(seed: int, users: int = 3, n: int = 6, k: int = 2, d: int = 5) -> ChoiceBatch:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(users, n, k, d, generator=generator, dtype=torch.float64)
    best = torch.randint(k, (users, n, 1), generator=generator)
    return ChoiceBatch(features, (torch.arange(k) != best).long(), torch.ones(users, n))


def belief(memory: ChoiceBatch) -> Belief:
    return Verbatim(5, 4)(memory)


def make(member: type[Mixture], **options) -> Mixture:
    torch.manual_seed(0)
    return member(5, 4, **options).eval().double()


def latents(users: int = 3, samples: int = 1) -> torch.Tensor:
    return torch.zeros(samples, users, 4, dtype=torch.float64)


@pytest.mark.parametrize("hidden", [[], [7]])
@pytest.mark.parametrize("member", [LowRankReward, IdealPoint])
class TestMixture:
    def test_every_option_has_one_score_under_every_sample(self, member, hidden):
        scores = make(member, hidden=hidden)(choices(1, n=4, k=3), latents(samples=2), belief(choices(0)))
        assert scores.shape == (2, 3, 4, 3, 1)

    def test_the_reward_is_the_mean_of_the_parts_by_the_weights_up_to_a_constant(self, member, hidden):
        """So that weights solved for on the parts are those of the reward."""
        scorer, target, given = make(member, hidden=hidden), choices(1), belief(choices(0))
        parts = scorer.parts(scorer.embed(target.features))
        mixed = torch.einsum("bnkr,br->bnk", parts, scorer.weights(given))
        assert_close(scorer(target, latents(), given)[0, ..., 0].diff(), mixed.diff())

    def test_the_weights_explain_the_memory_better_than_uniform_or_any_single_part(self, member, hidden):
        scorer, memory = make(member, hidden=hidden), choices(0, n=12)
        parts = scorer.parts(scorer.embed(memory.features))

        def log_prob(weights: torch.Tensor) -> torch.Tensor:
            scores = torch.einsum("bnkr,br->bnk", parts, weights).unsqueeze(-1)
            return BradleyTerryLuce().log_prob(scores, memory.places).sum(-1)

        best, rank = log_prob(scorer.weights(belief(memory))), parts.shape[-1]
        corners = [row.expand(3, -1) for row in torch.eye(rank, dtype=torch.float64)]
        for weights in (*corners, torch.full((3, rank), 1 / rank, dtype=torch.float64)):
            assert (best > log_prob(weights) - 1e-6).all()

    def test_who_chose_the_opposite_prefers_the_opposite_more(self, member, hidden):
        scorer, memory = make(member, hidden=hidden), choices(0, n=12)
        own = scorer(memory, latents(), belief(memory))
        other = scorer(memory, latents(), belief(memory.reversed()))
        log_probs = [BradleyTerryLuce().log_prob(scores[0], memory.places).sum() for scores in (own, other)]
        assert log_probs[0] > log_probs[1] + 1

    def test_nobodys_choices_give_uniform_weights(self, member, hidden):
        scorer = make(member, hidden=hidden)
        weights = scorer.weights(belief(choices(0, n=0)))
        assert_close(weights, torch.full_like(weights, 1 / weights.shape[-1]))
        assert scorer(choices(1), latents(), belief(choices(0, n=0))).isfinite().all()

    def test_a_user_is_scored_the_same_in_any_company_and_order(self, member, hidden):
        scorer, memory, target = make(member, hidden=hidden), choices(0), choices(1)
        together = scorer(target, latents(), belief(memory))
        alone = scorer(target.of_user(1), latents(1), belief(memory.of_user(1)))
        assert_close(alone, together[:, 1:2], atol=1e-6, rtol=0)
        order = torch.tensor([3, 1, 5, 0, 2, 4])
        mixed = ChoiceBatch(memory.features[:, order], memory.places[:, order], memory.rows)
        assert_close(scorer(target, latents(), belief(mixed)), together, atol=1e-6, rtol=0)

    def test_what_stands_in_padding_makes_no_difference(self, member, hidden):
        scorer, memory, target = make(member, hidden=hidden), choices(0), choices(1)
        padded = ChoiceBatch(
            torch.cat([memory.features, torch.full((3, 2, 2, 5), torch.nan, dtype=torch.float64)], 1),
            torch.cat([memory.places, torch.full((3, 2, 2), -1)], 1),
            torch.cat([memory.rows, torch.full((3, 2), -1)], 1),
        )
        plain = scorer(target, latents(), belief(memory))
        assert_close(scorer(target, latents(), belief(padded)), plain, atol=1e-6, rtol=0)

    def test_the_outcome_of_what_is_scored_is_not_read(self, member, hidden):
        scorer, target, given = make(member, hidden=hidden), choices(1), belief(choices(0))
        assert_close(scorer(target.reversed(), latents(), given), scorer(target, latents(), given))

    def test_dropout_acts_in_training_and_never_on_the_weights(self, member, hidden):
        scorer, given = make(member, hidden=hidden, dropout=0.5), belief(choices(0))
        before = scorer.weights(given)
        scorer.train()
        assert_close(scorer.weights(given), before)
        target = choices(1)
        assert not torch.equal(scorer(target, latents(), given), scorer(target, latents(), given))

    def test_gradients_reach_every_parameter(self, member, hidden):
        scorer = make(member, hidden=hidden)
        scores = scorer(choices(1), latents(), belief(choices(0)))
        (scores * torch.randn_like(scores)).sum().backward()
        for name, parameter in scorer.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 1e-9, name

    def test_the_gradient_is_that_of_the_loss_with_the_weights_solved_for(self, member, hidden):
        """Envelope theorem: though weights are held, differences of the whole loss agree with it."""
        scorer, memory = make(member, hidden=hidden, kl_weight=0.1), choices(0, n=12)
        given = belief(memory)

        def loss() -> torch.Tensor:
            scores = scorer(memory, latents(), given)[0]
            weights = scorer.weights(given)
            kl = torch.special.xlogy(weights, weights * weights.shape[-1]).sum()
            return 0.1 * kl - BradleyTerryLuce().log_prob(scores, memory.places).sum()

        loss().backward()
        for parameter in scorer.parameters():
            place = parameter.grad.flatten().abs().argmax()
            slope, value = parameter.grad.flatten()[place], parameter.data.flatten()[place].item()
            around = []
            for moved in (value + 1e-4, value - 1e-4):
                parameter.data.view(-1)[place] = moved
                around.append(loss().detach())
            parameter.data.view(-1)[place] = value
            assert_close((around[0] - around[1]) / 2e-4, slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("member", [LowRankReward, IdealPoint])
def test_settings_out_of_range_are_refused(member):
    for wrong in ({"kl_weight": -1.0}, {"steps": 0}):
        with pytest.raises(ConfigError, match="allowed are >= 0 and >= 1"):
            member(5, 4, **wrong)


def test_an_encoder_without_memory_is_refused():
    with pytest.raises(ConfigError, match="LowRankReward reads the user's choices themselves"):
        make(LowRankReward)(choices(1), latents(), Belief.point(latents()[0]))
