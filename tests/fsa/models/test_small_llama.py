"""The small Llama, and its tokenizer made from texts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from fsa.errors import ConfigError
from fsa.models.small_llama import SmallLlama, byte_level_bpe
from tests.factories.sandbox_corpus import sandbox_corpus

TEXTS = [f"{prompt}\n\n{response}" for prompt, response, _ in sandbox_corpus(60)]
TOKENIZER = byte_level_bpe(TEXTS, vocabulary=600)


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_back(text: str):
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids) == text


def test_a_text_begins_with_bos_and_does_not_end():
    ids = TOKENIZER(TEXTS[0])["input_ids"]
    assert ids[0] == TOKENIZER.bos_token_id
    assert not {TOKENIZER.bos_token_id, TOKENIZER.eos_token_id, TOKENIZER.pad_token_id} & set(ids[1:])
    assert (TOKENIZER.pad_token_id, TOKENIZER.bos_token_id, TOKENIZER.eos_token_id) == (0, 1, 2)


def test_a_prompt_has_the_same_tokens_with_and_without_its_response():
    for text in TEXTS:
        before = text[: text.index("\n\n") + 2]
        alone, whole = TOKENIZER(before)["input_ids"], TOKENIZER(text)["input_ids"]
        assert whole[: len(alone)] == alone


def test_merges_make_words_of_the_texts_into_few_tokens():
    assert len(TOKENIZER) == 600
    assert len(TOKENIZER(" certainly", add_special_tokens=False)["input_ids"]) == 1
    assert len(TOKENIZER(" zyxwvu", add_special_tokens=False)["input_ids"]) == 7  # bytes: nobody wrote it


def test_the_same_texts_give_the_same_tokenizer_and_weights():
    """A run is resumed with a tokenizer that is made again."""
    small = SmallLlama(width=16, layers=1, heads=2, vocabulary=400)
    one, other = small.build(TEXTS), small.build(TEXTS)
    assert one.tokenizer.get_vocab() == other.tokenizer.get_vocab()
    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    another = SmallLlama(width=16, layers=1, heads=2, vocabulary=400, seed=1).build(TEXTS)
    assert not torch.equal(
        one.model.get_input_embeddings().weight, another.model.get_input_embeddings().weight
    )


def test_building_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    SmallLlama(width=16, layers=1, heads=2, vocabulary=300).build(TEXTS[:2])
    assert torch.equal(torch.get_rng_state(), before)


def test_the_model_has_the_size_and_the_special_tokens_that_it_should(tmp_path):
    model, tokenizer = SmallLlama(
        width=24, layers=2, heads=3, inner=40, vocabulary=500, max_positions=77, tied=False
    ).build(TEXTS)
    # embedding and output layer 500 x 24 each; a block: 4 x 24 x 24 + 3 x 24 x 40 and two norms; a last norm
    expected = 2 * 500 * 24 + 2 * (4 * 24 * 24 + 3 * 24 * 40 + 2 * 24) + 24
    assert sum(p.numel() for p in model.parameters()) == expected
    made = model.generation_config
    assert (made.pad_token_id, made.bos_token_id, made.eos_token_id) == (0, 1, 2)
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again.model_max_length == 77
    assert again(TEXTS[5])["input_ids"] == tokenizer(TEXTS[5])["input_ids"]


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ({"width": 30, "heads": 4}, "width is 30"),
        ({"layers": 0}, "layers is 0"),
        ({"vocabulary": 200}, "300 at"),
    ],
)
def test_numbers_that_do_not_fit_are_named(numbers: dict, named: str):
    with pytest.raises(ConfigError, match=named):
        SmallLlama(**numbers)


def test_no_text_is_no_tokenizer():
    with pytest.raises(ConfigError, match="there are none"):
        SmallLlama().build([])
