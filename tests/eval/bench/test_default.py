"""What the default costs, at a tiny size."""

import pytest

from eval.bench.default import default_cost
from tests.factories.bench import values_of
from tests.fsa.conftest import bert, own_cache, tokenizer

__all__ = ["bert", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_both_defaults_train_and_score_and_are_compared(bert):
    values = values_of(default_cost(num_users=40, steps=3, candidates=12, repetitions=1, backbone=str(bert)))
    assert values["default_step_milliseconds"] > 0
    assert values["default_step"] > 0
    assert values["default_scoring"] > 0
