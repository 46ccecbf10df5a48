from importlib.util import find_spec

import pytest

from eval.bench.policy_step import MEASURED, measure
from tests.factories.bench import TINY
from tests.fsa.conftest import own_cache

__all__ = ["own_cache"]


pytestmark = pytest.mark.usefixtures("own_cache")


needs_trl = pytest.mark.skipif(find_spec("trl") is None, reason="TRL is not installed")


@needs_trl
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_kind_of_step_reads_the_same_tokens(folder):
    tokens = {}
    for what in MEASURED:
        found = measure(what, folder[0], steps=4, pairs=TINY.pairs, warm=1)
        assert found["steps"] == 2
        assert found["seconds"] > 0
        tokens[what] = found["tokens"]
    assert len(set(tokens.values())) == 1, tokens
    assert set(tokens) == {"np_dpo", "dpo", "reward_lm", "trl_dpo", "trl_reward"}
