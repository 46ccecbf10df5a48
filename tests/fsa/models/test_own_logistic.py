import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.models.own_logistic import OwnLogistic
from fsa.types import ChoiceBatch


def pairs(users: int = 2, n: int = 7, seed: int = 0) -> ChoiceBatch:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(users, n, 2, 4, generator=generator, dtype=torch.float64)
    chosen = torch.randint(2, (users, n), generator=generator)
    return ChoiceBatch(features, torch.stack([chosen, 1 - chosen], -1), torch.ones(users, n))


def scored(scorer: OwnLogistic, context: ChoiceBatch, target: ChoiceBatch) -> torch.Tensor:
    belief = Verbatim(4, 1)(context)
    return scorer(target, belief.mean[None], belief)[0, ..., 0]


def test_scores_are_those_of_a_logistic_regression_on_which_option_was_chosen():
    """Second option less first, labelled by whether the second was chosen: mirroring is not needed then."""
    context, target = pairs(seed=3), pairs(seed=1)
    found = scored(OwnLogistic(4, 1, ridge=0.5).double(), context, target)
    for user in range(2):
        rows = (context.features[user, :, 1] - context.features[user, :, 0]).numpy()
        labels = (context.places[user, :, 1] == 0).numpy()
        fit = LogisticRegression(fit_intercept=False, C=1 / 0.5, tol=1e-10).fit(rows, labels)
        expected = target.features[user].numpy() @ fit.coef_[0]
        np.testing.assert_allclose(found[user].detach(), expected, rtol=0, atol=1e-5)


def test_somebody_without_choices_scores_zero():
    assert not scored(OwnLogistic(4, 1).double(), pairs(n=0), pairs(seed=1)).any()


def test_opposite_choices_give_opposite_scores():
    context, target, scorer = pairs(), pairs(seed=1), OwnLogistic(4, 1).double()
    forth, back = scored(scorer, context, target), scored(scorer, context.reversed(), target)
    assert forth.abs().max() > 1e-2
    assert_close(back, -forth)


def test_the_ridge_is_all_there_is_to_train_and_moves_through_the_solution():
    scorer = OwnLogistic(4, 1).double()
    assert [name for name, _ in scorer.named_parameters()] == ["log_ridge"]
    context, target = pairs(), pairs(seed=1)

    def norm() -> torch.Tensor:
        return scored(scorer, context, target).square().sum()

    norm().backward()
    step, rate = 1e-4, scorer.log_ridge.grad.item()
    with torch.no_grad():
        scorer.log_ridge += step
        above = norm()
        scorer.log_ridge -= 2 * step
        below = norm()
    assert rate < 0  # a stronger ridge makes rewards smaller
    assert_close(rate, ((above - below) / (2 * step)).item(), rtol=1e-5, atol=0)
