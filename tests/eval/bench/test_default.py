"""What the default costs, at a tiny size."""

import pytest

from eval.bench.default import default_cost
from tests.factories.bench import values_of
from tests.fsa.conftest import bert, own_cache, tokenizer

__all__ = ["bert", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_both_defaults_train_and_score_and_are_compared(bert):
    training = [
        "--source.num_prompts=40", "--source.num_users=60", "--source.choices_per_user=12",
        "--episodes.validation_episodes=10", "--loop.max_steps=4", "--loop.validate_every=2",
    ]  # fmt: skip
    values = values_of(default_cost(40, 3, 12, 1, str(bert), training))
    assert values["default_step_milliseconds"] > 0
    assert values["default_step"] > 0
    assert values["default_step_wide"] > 0
    assert values["default_scoring"] > 0
    assert values["default_training_seconds"] > 0
    assert values["default_training"] > 0
    assert values["default_nll"] > 0
    assert values["default_nll_former"] > 0
