import torch
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.models.ideal_point import IdealPoint
from fsa.types import ChoiceBatch


def on_a_line() -> IdealPoint:
    """Options are numbers, and the prototypes stand at 0 and 4."""
    scorer = IdealPoint(1, 1, num_prototypes=2, width=1).eval().double()
    scorer.place.weight.data = torch.ones(1, 1, dtype=torch.float64)
    scorer.prototypes.data = torch.tensor([[0.0], [4.0]], dtype=torch.float64)
    return scorer


def pairs(better: list[float], worse: list[float]) -> ChoiceBatch:
    features = torch.tensor([better, worse], dtype=torch.float64).T[None, :, :, None]
    n = len(better)
    return ChoiceBatch(features, torch.tensor([0, 1]).expand(1, n, 2), torch.ones(1, n))


NOTHING = torch.zeros(1, 1, 1, dtype=torch.float64)


def test_the_reward_is_minus_the_squared_distance_to_the_users_point():
    # Nothing chosen: both prototypes weigh 1/2, the point is 2; options 1 and 5 are 1 and 3 from it.
    scores = on_a_line()(pairs([1.0], [5.0]), NOTHING, Verbatim(1, 1)(pairs([], [])))
    assert_close(scores.flatten(), torch.tensor([-1.0, -9.0], dtype=torch.float64))


def test_the_fitted_point_lies_where_both_choices_are_equally_sure():
    # 1 over 3 wants a point below 2, 4 over 2 one above 3. At a the margins are (3-a)^2 - (1-a)^2 = 8 - 4a
    # and (2-a)^2 - (4-a)^2 = 4a - 12, both with slope 4: likeliest where they are equal, at a = 2.5.
    scorer = on_a_line()
    weights = scorer.weights(Verbatim(1, 1)(pairs([1.0, 4.0], [3.0, 2.0])))
    expected = torch.tensor([[2.5]], dtype=torch.float64)
    assert_close(weights @ scorer.prototypes, expected, atol=1e-4, rtol=0)


def test_a_point_stays_among_the_prototypes():
    scorer = on_a_line()
    weights = scorer.weights(Verbatim(1, 1)(pairs([9.0, 8.0, 7.0], [0.0, 1.0, 2.0])))
    assert_close(weights, torch.tensor([[0.0, 1.0]], dtype=torch.float64), atol=1e-6, rtol=0)


def test_one_prototype_gives_everybody_the_same_reward():
    torch.manual_seed(0)
    scorer = IdealPoint(3, 2, num_prototypes=1).eval()
    features, places = torch.randn(2, 5, 2, 3), torch.tensor([[0, 1], [1, 0]])[:, None].expand(2, 5, 2)
    belief = Verbatim(3, 2)(ChoiceBatch(features, places, torch.ones(2, 5)))
    target = ChoiceBatch(torch.randn(1, 4, 2, 3).expand(2, 4, 2, 3), places[:, :4], torch.ones(2, 4))
    first, second = scorer(target, torch.zeros(1, 2, 2), belief)[0]
    assert_close(first, second)
    alone = scorer(target.of_user(0), torch.zeros(1, 1, 2), belief.of_user(1))[0, 0]
    assert_close(alone, first)


def test_the_distance_is_taken_after_the_map():
    torch.manual_seed(0)
    scorer = IdealPoint(3, 2, num_prototypes=1, width=4, hidden=[6]).eval()
    target = ChoiceBatch(torch.randn(1, 1, 2, 3), torch.tensor([[[0, 1]]]), torch.ones(1, 1))
    expected = -(torch.cdist(scorer.place(scorer.embed(target.features)), scorer.prototypes[None, None]) ** 2)
    scores = scorer(target, torch.zeros(1, 1, 2), Verbatim(3, 2)(target))
    assert_close(scores.flatten(), expected.flatten())
