"""`LogProb` gives what the whole model gives, and computes it once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    PreTrainedTokenizerFast,
)

from fsa.errors import ConfigError, FeatureError
from fsa.features.hidden_state import HiddenState
from fsa.features.log_prob import LogProb
from fsa.features.response_tokens import ResponseTokens, response_tokens

# A small one, for the family's contract.
EXAMPLES = {"LogProb": lambda backbones: LogProb(backbones["llama"], device="cpu")}

RESPONSES = ["w1", "w2 w3 w4 w5 w6", "", "w7 " * 30, "w2 w3 w4 w5 w6"]
PROMPTS = ["w1 w2 w3", "", "w5", "w7 " * 12, "w9"]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 32,
}


class Counting(LogProb):
    """Counts the texts that reach the backbone."""

    forwarded = 0

    def _run(self, batch: list[ResponseTokens]) -> np.ndarray:
        self.forwarded += len(batch)
        return super()._run(batch)


@torch.no_grad()
def directly(folder: Path, prompts: list, responses: list, max_tokens: int = 256) -> list[list[float]]:
    """Full logits of each text alone, in float64, with a loop over the tokens of the response."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).double().eval()
    numbers = []
    for ids, start, _ in response_tokens(tokenizer, prompts, responses, max_tokens=max_tokens):
        log_probs = model(torch.tensor([ids.tolist()])).logits[0].log_softmax(-1)
        numbers.append([sum(log_probs[at - 1, ids[at]].item() for at in range(start, len(ids)))])
    return numbers


def test_equals_the_sum_over_full_logits_of_each_text_alone(llama: Path) -> None:
    extractor = LogProb(str(llama), batch_tokens=40)
    numbers = extractor.extract(PROMPTS, RESPONSES)
    assert (numbers.dtype, numbers.shape, extractor.width) == (np.float32, (5, 1), 1)
    assert_allclose(numbers, directly(llama, PROMPTS, RESPONSES), rtol=1e-5)


def test_chats_and_cut_prompts_too(llama: Path) -> None:
    prompts = [({"role": "user", "content": "w1 w2 w3 w4 w5 w6"},), "w1 w2 w3 w4 w5 w6 w7 w8 w9"]
    responses = [({"role": "assistant", "content": "w7 w8"},), "w7 w8 w9"]
    extractor = LogProb(str(llama), max_tokens=11)
    with pytest.warns(UserWarning, match="2 of 2 texts have more than 11 tokens"):
        numbers = extractor.extract(prompts, responses)
    assert_allclose(numbers, directly(llama, prompts, responses, 11), rtol=1e-5)
    assert (np.abs(numbers - directly(llama, prompts, responses)) > 1e-3).all()  # the cut matters


def test_all_responses_of_one_token_have_probability_one_together(
    llama: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    # p(w) p(end | w) summed over words, with what ends at once and what goes on: 1 is an upper bound, reached
    # by the first factor alone, which is the log-prob of a response cut before its end.
    words = [word for word in tokenizer.get_vocab() if not word.startswith("[")]
    with pytest.warns(UserWarning, match="were cut"):
        cut = LogProb(str(llama), max_tokens=2).extract([""] * len(words), words)  # [CLS] and the word
    alone = LogProb(str(llama)).extract([""], [""])[0, 0]  # [CLS] [SEP]
    model = AutoModelForCausalLM.from_pretrained(llama)
    first = model(torch.tensor([[tokenizer.cls_token_id]])).logits[0, 0].softmax(-1)
    others = first[[tokenizer.convert_tokens_to_ids(t) for t in ("[PAD]", "[UNK]", "[CLS]")]].sum().item()
    assert np.exp(cut).sum() + np.exp(alone) + others == pytest.approx(1, abs=1e-5)


def test_computed_once_for_texts_that_come_twice_and_runs_that_come_later(llama: Path) -> None:
    twice = Counting(str(llama))
    first = twice.extract(PROMPTS + PROMPTS[:2], RESPONSES + RESPONSES[:2])
    again = Counting(str(llama))
    assert_array_equal(again.extract(PROMPTS, RESPONSES), first[:5])
    assert (twice.forwarded, again.forwarded) == (5, 0)
    assert_array_equal(first[5:], first[:2])


def test_fingerprint_changes_with_all_that_numbers_depend_on(llama: Path) -> None:
    changes = [{}, {"max_tokens": 32}, {"dtype": "bfloat16"}]
    prints = {LogProb(str(llama), **change).fingerprint for change in changes}
    assert len({*prints, HiddenState(str(llama)).fingerprint}) == 4
    assert LogProb(str(llama), batch_tokens=9, device="cpu", store=False).fingerprint in prints


def test_bfloat16_is_close_to_float32(llama: Path) -> None:
    full, half = (LogProb(str(llama), dtype=d).extract(PROMPTS, RESPONSES) for d in ("float32", "bfloat16"))
    assert np.abs(full - half).max() > 0
    assert_allclose(half, full, rtol=0.05)


def test_numbers_are_refused(llama: Path) -> None:
    with pytest.raises(FeatureError, match="LogProb reads text"):
        LogProb(str(llama)).extract(["w1"], [(0.5,)])


def test_a_model_that_reads_both_ways_is_refused(bert: Path) -> None:
    with pytest.raises(ConfigError, match="BertLMHeadModel"):
        LogProb(str(bert)).extract(["w1"], ["w2"])


def test_models_that_change_their_logits_are_refused(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    vocabulary = {"vocab_size": len(tokenizer), "pad_token_id": 0, **SIZES}
    capped = Gemma2ForCausalLM(Gemma2Config(head_dim=8, **vocabulary))
    scaled = CohereForCausalLM(CohereConfig(logit_scale=0.5, **vocabulary))
    for model, message in ((capped, "caps its logits"), (scaled, "does more to its logits")):
        folder = tmp_path / type(model).__name__
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        with pytest.raises(ConfigError, match=f"{type(model).__name__} {message}"):
            LogProb(str(folder)).extract(["w1"], ["w2"])
