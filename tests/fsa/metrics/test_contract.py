"""What every metric of choices promises: a function of values and places, found by walking the folder."""

import inspect

import numpy as np
import pytest

import fsa.metrics
from tests.factories.family import functions

METRICS = {
    name: metric
    for name, metric in functions(fsa.metrics).items()
    if list(inspect.signature(metric).parameters)[1:2] == ["places"]
}
PLACES = np.array([[0, 1, 1], [1, 0, -1], [2, 1, 0], [0, 0, 1]])


def test_the_metrics_are_found():
    assert set(METRICS) >= {"correctness", "confidence", "nll", "flip_correctness"}


@pytest.fixture(params=METRICS)
def metric(request):
    return METRICS[request.param]


def values() -> np.ndarray:
    drawn = np.random.default_rng(0).dirichlet(np.ones(3), 4)
    drawn[1] = [0.3, 0.7, 0.0]
    return drawn


def test_one_finite_number_a_choice(metric):
    found = metric(values(), PLACES)
    assert found.shape == (4,)
    assert np.isfinite(found).all()


def test_a_choice_is_judged_by_itself(metric):
    found = metric(values(), PLACES)
    for i in range(4):
        assert metric(values()[i : i + 1], PLACES[i : i + 1])[0] == pytest.approx(found[i])


def test_the_order_of_options_makes_no_difference(metric):
    order = [2, 0, 1]
    np.testing.assert_allclose(metric(values()[:, order], PLACES[:, order]), metric(values(), PLACES))


def test_padding_makes_no_difference(metric):
    wider = np.pad(values(), ((0, 0), (0, 2))), np.pad(PLACES, ((0, 0), (0, 2)), constant_values=-1)
    np.testing.assert_allclose(metric(*wider), metric(values(), PLACES))
