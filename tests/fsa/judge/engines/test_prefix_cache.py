"""Prompts that begin alike: computed once, and as if each had been computed alone."""

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModelForCausalLM

from fsa.features.buckets import padded
from fsa.judge.engines.prefix_cache import PrefixCache, common_start, stacked
from tests.factories.judges import byte_model


@pytest.fixture
def model(tmp_path):
    return AutoModelForCausalLM.from_pretrained(byte_model(tmp_path)).eval()


def rows_of(*lengths: int) -> list[list[int]]:
    """Prompts that share their first 20 tokens."""
    tokens = torch.randint(2, 250, (200,), generator=torch.Generator().manual_seed(0)).tolist()
    return [[*tokens[:20], 2 + i, *tokens[40 : 40 + length]] for i, length in enumerate(lengths)]


def test_next_token_logits_equal_those_of_each_prompt_alone(model):
    rows = rows_of(3, 40, 17)  # all longer than the sliding window of 8
    prefixes = PrefixCache(model)
    with torch.inference_mode():
        cache = stacked([prefixes.read(row) for row in rows], [len(row) - 1 for row in rows])
        ids, mask = padded(rows, 0, "left")
        positions = (mask.cumsum(-1) - 1)[:, -1:]
        together = model(
            ids[:, -1:], attention_mask=mask, position_ids=positions, past_key_values=cache
        ).logits[:, -1]
        for row, logits in zip(rows, together, strict=True):
            assert_close(logits, model(torch.tensor([row])).logits[0, -1], atol=1e-4, rtol=1e-4)


def test_the_shared_start_is_computed_once(model):
    rows = rows_of(5, 5, 5)
    prefixes = PrefixCache(model)
    with torch.inference_mode():
        for row in rows:
            prefixes.read(row)
        # 25 of the first (its last token starts the answer); then the 5 after the shared 20.
        assert prefixes.computed == 25 + 5 + 5
        prefixes.read(rows[-1])
        prefixes.read(rows[-1][:10])
        assert prefixes.computed == 35


def test_common_start():
    assert common_start([1, 2, 3], [1, 2, 4]) == 2
    assert common_start([1, 2], [1, 2, 4]) == 2
    assert common_start([], [1]) == 0
