import os

import pytest

from eval.bench.score import score_overhead
from tests.factories.bench import values_of
from tests.fsa.conftest import bert, own_cache, tokenizer

__all__ = ["bert", "own_cache", "tokenizer"]


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scoring_is_compared_with_the_backbone_alone(bert):
    before = os.environ["FSA_CACHE"]
    values = values_of(score_overhead(candidates=12, repetitions=1, backbone=str(bert)))
    assert os.environ["FSA_CACHE"] == before
    assert values["score_overhead"] == pytest.approx(values["score_seconds"] / values["bare_forward_seconds"])
