"""What every scorer promises, checked on every head that the folder holds."""

import importlib
import inspect
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import fsa.models
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


@pytest.mark.parametrize("num_params", [1, 2])
@pytest.mark.parametrize("member", members(), ids=lambda member: member.__name__)
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
