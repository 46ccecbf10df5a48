import torch

from fsa.training.averaging import Averaging


def mean_after(decay: float, weights: list[float]) -> float:
    """The mean that the callback makes of weights that come one a step."""
    function = Averaging(decay)._kwargs["avg_fn"]
    mean = torch.tensor(100.0)  # what it begins with
    for number, weight in enumerate(weights):
        mean = function(mean, torch.tensor(weight), torch.tensor(float(number)))
    return float(mean)


def test_what_it_began_with_is_forgotten_at_the_first_step():
    assert mean_after(0.99, [1.0]) == 1.0


def test_late_steps_count_by_the_decay():
    """After many equal weights, one other moves the mean by 1 - decay of the difference."""
    assert abs(mean_after(0.9, [1.0] * 500 + [2.0]) - 1.1) < 1e-4
