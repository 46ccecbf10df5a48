import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from eval.bench.policy_data import TABLE
from eval.bench.trl import pairs_of
from fsa.choices.table import ChoiceTable
from tests.factories.bench import TINY
from tests.fsa.conftest import own_cache

__all__ = ["own_cache"]


pytestmark = pytest.mark.usefixtures("own_cache")


def test_the_model_is_as_large_as_asked_and_its_head_is_a_share(folder):
    path, share = folder
    model = AutoModelForCausalLM.from_pretrained(path)
    inner = 88  # 8/3 of 32 is 85.3: the nearest multiple of 8
    layer = 4 * 32 * 32 + 3 * 32 * inner + 2 * 32  # attention, feed-forward, two norms
    assert model.config.vocab_size == 600
    assert share == pytest.approx(600 * 32 / (600 * 32 + 2 * layer + 32))
    assert sum(weight.numel() for weight in model.parameters()) == 600 * 32 + 2 * layer + 32


def test_lengths_are_ragged_and_fit(folder):
    table = ChoiceTable.open(folder[0] / TABLE)
    tokenizer = AutoTokenizer.from_pretrained(folder[0])
    pairs = pairs_of(table, range(len(table)))
    lengths = [len(tokenizer(pair["prompt"] + pair["chosen"]).input_ids) for pair in pairs]
    assert len(set(lengths)) > 5
    assert max(lengths) <= 2 * TINY.max_tokens  # of so few tokens, words are made of several
    for row in range(len(table)):
        choice = table.choice(row)
        assert choice.options[0] != choice.options[1]
    for user in table.users.to_pylist():
        prompts = [table.choice(row).prompt for row in table.rows_of(user)]
        assert len(set(prompts)) == len(prompts) == 6
