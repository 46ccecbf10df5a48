import torch
from torch.testing import assert_close

from fsa.objectives.elbo import EvidenceLowerBound
from fsa.objectives.joint_likelihood import JointLikelihood
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.types import Belief, ChoiceBatch

CONTEXT, EVERYTHING = Belief.point(torch.ones(1, 2)), Belief.point(torch.full((1, 2), 9.0))


def test_scorer_and_latents_have_read_the_target():
    joint = JointLikelihood()
    assert joint.scorer_belief(CONTEXT, EVERYTHING) is EVERYTHING
    assert_close(joint.draw(CONTEXT, EVERYTHING, torch.randn(3, 1, 2)), torch.full((3, 1, 2), 9.0))


def test_it_needs_no_spread():
    assert JointLikelihood.needs_posterior
    assert not JointLikelihood.needs_spread


def test_the_loss_is_the_negative_log_likelihood():
    target = ChoiceBatch(torch.zeros(1, 3, 2, 1), torch.tensor([0, 1]).expand(1, 3, 2), torch.zeros(1, 3))
    log_probs = -torch.rand(2, 1, 3)
    plain = NegativeLogLikelihood()(log_probs, target, CONTEXT, CONTEXT)
    assert_close(JointLikelihood()(log_probs, target, CONTEXT, EVERYTHING).loss, plain.loss)


def test_the_scorer_of_any_other_objective_sees_the_context_alone():
    for objective in (NegativeLogLikelihood(), EvidenceLowerBound()):
        assert objective.scorer_belief(CONTEXT, EVERYTHING) is CONTEXT
