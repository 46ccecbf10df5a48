"""How many questions are expected to be needed."""

import pytest
import torch

from fsa.questions.forecast import forecast
from fsa.questions.information_gain import InformationGain


def kinds(noise: float) -> torch.Tensor:
    """Eight kinds of people; three pairs that tell them apart by halves, and one more of each."""
    bits = (torch.arange(8)[:, None] >> torch.arange(3)) & 1
    return (noise + (1 - 2 * noise) * bits.double()).repeat(1, 2)


EVEN = torch.full((8,), 1 / 8, dtype=torch.float64)


def test_three_questions_tell_eight_kinds_apart():
    found = forecast(kinds(0.0), EVEN, InformationGain(), wanted=0.99, most=6)
    assert found.questions == 3
    assert found.accuracy[:4] == pytest.approx((0.5, 2 / 3, 5 / 6, 1.0))


def test_whoever_answers_at_random_at_times_cannot_be_foretold_better():
    found = forecast(kinds(0.1), EVEN, InformationGain(), wanted=0.95, most=6, people=64)
    assert found.questions is None
    assert len(found.accuracy) == 7
    assert max(found.accuracy) <= 0.9 + 1e-9
    assert found.accuracy[3] > 0.8


def test_who_is_known_needs_no_question():
    sure = torch.tensor([[0.97, 0.02]], dtype=torch.float64)
    found = forecast(sure, torch.ones(1, dtype=torch.float64), InformationGain(), wanted=0.9)
    assert found.questions == 0
    assert found.accuracy[0] == pytest.approx(0.975)


def test_the_same_seed_expects_the_same():
    one, other = (forecast(kinds(0.2), EVEN, InformationGain(), 0.9, people=4, seed=1) for _ in range(2))
    assert one == other
