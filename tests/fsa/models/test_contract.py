"""What every scorer promises, checked on every head that the folder holds."""

import importlib
import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

import fsa.models
from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.types import Belief, ChoiceBatch

D_FEATURE, D_BELIEF = 5, 4
HEAD_ARGUMENTS = ["d_feature", "d_belief"]


def members() -> list[type[Scorer]]:
    """Heads alone: what scores with a whole language model has its own tests."""
    for path in sorted(Path(fsa.models.__file__).parent.glob("*.py")):
        importlib.import_module(f"fsa.models.{path.stem}")
    found, queue = [], [Scorer]
    while queue:
        queue += (family := queue.pop().__subclasses__())
        found += [member for member in family if not inspect.isabstract(member)]
    ours = [member for member in found if member.__module__.startswith("fsa.models.")]
    heads = [member for member in ours if not member.reads_tokens]
    assert all(list(inspect.signature(head).parameters)[:2] == HEAD_ARGUMENTS for head in heads)
    return heads


def test_the_folder_holds_the_members_we_know_of():
    assert {member.__name__ for member in members()} >= {"Bilinear", "Concat", "FiLM"}
    of_memory = {member.__name__ for member in members() if member.reads_memory}
    assert of_memory >= {"OwnLogistic", "NearestUsers", "GroupPreference"}


def make(member: type[Scorer], **options) -> Scorer:
    torch.manual_seed(0)
    return member(D_FEATURE, D_BELIEF, **options).eval().double()


def inputs(users: int = 3, samples: int = 2) -> tuple[ChoiceBatch, torch.Tensor, Belief]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(users, 4, 3, D_FEATURE, generator=generator, dtype=torch.float64)
    places = torch.tensor([0, 1, 1]).expand(users, 4, 3)
    mean = torch.randn(users, D_BELIEF, generator=generator, dtype=torch.float64)
    belief = Belief(mean, torch.ones_like(mean))
    noise = torch.randn(samples, *mean.shape, generator=generator, dtype=torch.float64)
    return ChoiceBatch(features, places, torch.ones(users, 4)), belief.sample(noise), belief


def readers(of_memory: bool) -> list:
    """Heads that read the memory of a belief, or those that read its samples."""
    found = [member for member in members() if member.reads_memory == of_memory]
    return [pytest.param(member, id=member.__name__) for member in found]


@pytest.mark.parametrize("num_params", [1, 2])
@pytest.mark.parametrize("member", readers(of_memory=False))
class TestScorer:
    def test_it_gives_every_option_its_scores_under_every_sample(self, member, num_params):
        assert make(member, num_params=num_params)(*inputs()).shape == (2, 3, 4, 3, num_params)

    def test_a_user_is_scored_the_same_in_any_company(self, member, num_params):
        scorer, (choices, z, belief) = make(member, num_params=num_params), inputs()
        one = ChoiceBatch(choices.features[1:2], choices.places[1:2], choices.rows[1:2])
        alone = scorer(one, z[:, 1:2], Belief(belief.mean[1:2], belief.std[1:2]))
        assert_close(alone, scorer(choices, z, belief)[:, 1:2])

    def test_an_option_is_scored_the_same_beside_any_other(self, member, num_params):
        scorer, (choices, z, belief) = make(member, num_params=num_params), inputs()
        some = ChoiceBatch(choices.features[:, :, [2]], choices.places[:, :, [2]], choices.rows)
        assert_close(scorer(some, z, belief), scorer(choices, z, belief)[..., [2], :])

    def test_predictive_and_spread_are_what_either_gives_alone(self, member, num_params):
        scorer, (choices, _, belief) = make(member, num_params=num_params), inputs()
        noise = torch.randn(4, 1, D_BELIEF, generator=torch.Generator().manual_seed(1)).double()
        predictive, spread = scorer.predictive_and_spread(choices, belief, noise)
        assert_close(predictive.scores, scorer.predictive(choices, belief, noise).scores)
        for name, value in vars(scorer.spread(choices, belief, noise)).items():
            assert_close(getattr(spread, name), value)

    def test_sample_s_depends_on_z_s_only(self, member, num_params):
        scorer, (choices, z, belief) = make(member, num_params=num_params), inputs(samples=3)
        moved = z.clone()
        moved[1] += 1
        before, after = scorer(choices, z, belief), scorer(choices, moved, belief)
        assert_close(after[[0, 2]], before[[0, 2]])
        assert (after[1] - before[1]).abs().max() > 1e-3

    def test_the_outcome_is_not_read(self, member, num_params):
        scorer, (choices, z, belief) = make(member, num_params=num_params), inputs()
        assert_close(scorer(choices.reversed(), z, belief), scorer(choices, z, belief))

    def test_the_belief_changes_which_option_is_better(self, member, num_params):
        """Not only all scores alike: differences between options move with z, in every parameter."""
        scorer, (choices, z, belief) = make(member, num_params=num_params), inputs()
        gaps = scorer(choices, z, belief).diff(dim=3)
        assert ((gaps[0] - gaps[1]).abs().amax((0, 1, 2)) > 1e-3).all()

    def test_gradients_reach_every_parameter_and_z(self, member, num_params):
        scorer, (choices, z, belief) = make(member, num_params=num_params), inputs()
        z = z.clone().requires_grad_()
        scores = scorer(choices, z, belief)
        (scores * torch.randn_like(scores)).sum().backward()
        assert z.grad.abs().min() > 0
        for name, parameter in scorer.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 1e-9, name


def memory(users: int = 3, n: int = 6, seed: int = 1) -> ChoiceBatch:
    """Contexts of picks and rankings among three, some with an option less."""
    features = torch.randn(
        users, n, 3, D_FEATURE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    known = torch.tensor([[0, 1, 1], [1, 0, 2], [1, 0, -1], [2, 1, 0], [0, 1, -1]])
    places = known[torch.arange(users * n).reshape(users, n) % len(known)]
    return ChoiceBatch(features, places, torch.arange(users * n).reshape(users, n))


def padding(users: int = 3, n: int = 2) -> ChoiceBatch:
    features = torch.full((users, n, 3, D_FEATURE), 1e3, dtype=torch.float64)
    return ChoiceBatch(features, torch.full((users, n, 3), -1), torch.full((users, n), -1))


@pytest.mark.parametrize("member", readers(of_memory=True))
class TestMemoryScorer:
    """Heads that read the user's choices themselves: the promises of an encoder and of a head at once."""

    def make(self, member: type[Scorer]) -> Scorer:
        scorer = make(member)
        scorer.fit_training_users([memory(users=4, seed=2)])
        return scorer

    def score(self, scorer: Scorer, memory: ChoiceBatch, choices: ChoiceBatch | None = None) -> Tensor:
        belief = Belief(*[torch.zeros(len(memory.rows), D_BELIEF, dtype=torch.float64)] * 2, memory)
        choices = choices or inputs(len(memory.rows))[0]
        return scorer(choices, belief.mean.expand(2, -1, -1), belief)

    def test_it_gives_every_option_its_score_under_every_sample(self, member):
        scores = self.score(self.make(member), memory())
        assert scores.shape == (2, 3, 4, 3, 1)
        assert_close(scores[0], scores[1])

    def test_order_of_choices_makes_no_difference(self, member):
        scorer, before = self.make(member), memory()
        order = torch.tensor([3, 0, 5, 1, 4, 2])
        shuffled = ChoiceBatch(before.features[:, order], before.places[:, order], before.rows[:, order])
        assert_close(self.score(scorer, shuffled), self.score(scorer, before))

    def test_order_of_options_makes_no_difference(self, member):
        scorer, before = self.make(member), memory()
        order = torch.tensor([2, 0, 1])
        shuffled = ChoiceBatch(before.features[:, :, order], before.places[:, :, order], before.rows)
        assert_close(self.score(scorer, shuffled), self.score(scorer, before))

    def test_padding_makes_no_difference(self, member):
        scorer, before = self.make(member), memory()
        features, places = torch.full((3, 9, 5, D_FEATURE), 1e3).double(), torch.full((3, 9, 5), -1)
        features[:, :6, :3] = torch.where(before.option_mask.unsqueeze(-1), before.features, 1e3)
        places[:, :6, :3] = before.places
        rows = torch.where((places >= 0).any(-1), 0, -1)
        assert_close(self.score(scorer, ChoiceBatch(features, places, rows)), self.score(scorer, before))

    def test_a_user_is_scored_the_same_in_any_company(self, member):
        scorer, choices = self.make(member), inputs()[0]
        alone = self.score(scorer, memory().of_user(1), choices.of_user(1))
        assert_close(alone, self.score(scorer, memory(), choices)[:, 1:2])

    def test_an_option_is_scored_the_same_beside_any_other(self, member):
        scorer, choices = self.make(member), inputs()[0]
        some = ChoiceBatch(choices.features[:, :, [2]], choices.places[:, :, [2]], choices.rows)
        one, all_of_them = (self.score(scorer, memory(), asked) for asked in (some, choices))
        assert_close(one, all_of_them[..., [2], :])

    def test_the_outcome_of_a_target_is_not_read(self, member):
        scorer, choices = self.make(member), inputs()[0]
        assert_close(self.score(scorer, memory(), choices.reversed()), self.score(scorer, memory(), choices))

    def test_the_outcome_of_the_context_changes_which_option_is_better(self, member):
        scorer = self.make(member)
        seen, reversed_ = (self.score(scorer, part).diff(dim=3) for part in (memory(), memory().reversed()))
        assert (seen - reversed_).abs().max() > 1e-3

    def test_without_choices_everybody_gets_the_same_finite_scores(self, member):
        scorer = self.make(member)
        choices = inputs()[0]
        same = ChoiceBatch(choices.features[:1].expand_as(choices.features), choices.places, choices.rows)
        nothing = self.score(scorer, memory(n=0), same)
        assert nothing.isfinite().all()
        assert_close(nothing, nothing[:, :1].expand_as(nothing))
        assert_close(self.score(scorer, padding(), same), nothing)

    def test_gradients_reach_every_parameter(self, member):
        scorer = self.make(member)
        scores = self.score(scorer, memory())
        (scores * torch.randn(scores.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
        for name, parameter in scorer.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 1e-9, name

    def test_a_batch_without_any_choice_can_be_trained_on(self, member):
        scorer = self.make(member)
        self.score(scorer, memory(n=0)).sum().backward()
        for name, parameter in scorer.named_parameters():
            assert parameter.grad is None or parameter.grad.isfinite().all(), name

    def test_a_belief_without_memory_is_refused(self, member):
        choices, z, belief = inputs()
        with pytest.raises(ConfigError, match="keeps none"):
            self.make(member)(choices, z, belief)
