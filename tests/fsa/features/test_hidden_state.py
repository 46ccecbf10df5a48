"""Batching, order, storing and cutting leave a text's vector as it is when it is read alone."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from fsa.errors import FeatureError
from fsa.features.hidden_state import HiddenState

# A small one, for the family's contract.
EXAMPLES = {"HiddenState": lambda backbones: HiddenState(backbones["bert"], device="cpu")}

RESPONSES = [
    " ".join(f"w{(3 * i + j) % 60}" for j in range(length))
    for i, length in enumerate([1, 9, 4, 30, 2, 17, 9])
]
PROMPTS = ["w1 w2 w3", "", "w5", "w1 w2 w3", "w7 " * 12, "w9 w8", "w5"]


class Counting(HiddenState):
    """Counts the texts that reach the backbone; may be interrupted after some batches."""

    forwarded = 0
    batches_allowed = 10_000

    def _run(self, rows: list[np.ndarray]) -> np.ndarray:
        if not self.batches_allowed:
            raise KeyboardInterrupt
        self.batches_allowed -= 1
        self.forwarded += len(rows)
        return super()._run(rows)


def read_alone(folder: Path, text: str, pooling: str, **options: bool) -> np.ndarray:
    """The text through the backbone with nothing beside it and no padding: what extract must equal."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    with torch.no_grad():
        hidden = model(torch.tensor([tokenizer(text, **options)["input_ids"]])).last_hidden_state[0]
    parts = {"last": hidden[-1], "mean": hidden.mean(0), "last+mean": torch.cat([hidden[-1], hidden.mean(0)])}
    return parts[pooling].numpy()


@pytest.mark.parametrize("pooling", ["last", "mean", "last+mean"])
@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_batched_equals_alone(kind: str, pooling: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    extractor = HiddenState(str(folder), pooling=pooling, batch_tokens=64)
    vectors = extractor.extract(PROMPTS, RESPONSES)
    # A blank line between prompt and response; nothing before the response where the prompt is empty.
    texts = [f"{p}\n\n{r}" if p else r for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(texts), extractor.width)
    assert_allclose(vectors, [read_alone(folder, text, pooling) for text in texts], atol=1e-5)


def test_width_doubles_with_both_poolings(bert: Path) -> None:
    assert HiddenState(str(bert), pooling="mean").width == 16
    assert HiddenState(str(bert), pooling="last+mean").width == 32


def test_nothing_to_read_gives_no_rows(bert: Path) -> None:
    assert HiddenState(str(bert)).extract([], []).shape == (0, 16)


def test_order_is_kept_and_duplicates_are_computed_once(bert: Path) -> None:
    extractor = Counting(str(bert), batch_tokens=64)
    vectors = extractor.extract(PROMPTS, RESPONSES)
    order = np.array([3, 0, 6, 0, 1, 5, 3])
    again = Counting(str(bert), batch_tokens=64, store=False)
    shuffled = again.extract([PROMPTS[i] for i in order], [RESPONSES[i] for i in order])
    assert_allclose(shuffled, vectors[order], atol=1e-5)
    assert again.forwarded == 5  # of seven, 0 and 3 came twice


def test_reading_the_response_leaves_the_prompt_unseen(bert: Path) -> None:
    extractor = HiddenState(str(bert), reads="response")
    assert_array_equal(extractor.extract(["w1"], ["w2 w3"]), extractor.extract(["w4 w5"], ["w2 w3"]))


def test_own_template_is_read_as_written(bert: Path) -> None:
    vectors = HiddenState(str(bert), reads="user : {prompt} assistant : {response} w3").extract(
        ["w1"], ["w2"]
    )
    assert_allclose(vectors[0], read_alone(bert, "user : w1 assistant : w2 w3", "mean"), atol=1e-5)


def test_braces_in_a_text_are_only_text(bert: Path) -> None:
    vectors = HiddenState(str(bert)).extract(["w1 {response}"], ["w2 {prompt} {0}"])
    assert_allclose(vectors[0], read_alone(bert, "w1 {response}\n\nw2 {prompt} {0}", "mean"), atol=1e-5)


def test_chat_is_read_by_the_chat_template_with_one_bos(llama: Path) -> None:
    prompt = ({"role": "user", "content": "w1 w2"},)
    response = ({"role": "assistant", "content": " w3 w4"},)
    extractor = HiddenState(str(llama))
    tokenizer = AutoTokenizer.from_pretrained(llama)
    expected = tokenizer.apply_chat_template([*prompt, *response], tokenize=True)["input_ids"]
    (_, batch), *_ = extractor._batches(np.array([0]), extractor._render([prompt], [response]))
    assert batch[0].ids.tolist() == expected
    assert expected.count(tokenizer.bos_token_id) == 1
    text = "user : w1 w2 [SEP] assistant : w3 w4"  # the tokenizer adds [CLS] before and [SEP] after
    assert_allclose(extractor.extract([prompt], [response])[0], read_alone(llama, text, "mean"), atol=1e-5)


def test_plain_prompt_beside_chat_response_is_the_user_speaking(llama: Path) -> None:
    extractor, response = HiddenState(str(llama)), ({"role": "assistant", "content": "w3"},)
    chat = extractor.extract([({"role": "user", "content": "w1"},)], [response])
    assert_array_equal(extractor.extract(["w1"], [response]), chat)
    assert_array_equal(extractor.extract([({"role": "user", "content": "w1"},)], ["w3"]), chat)


def test_chat_without_a_chat_template_is_its_contents(bert: Path) -> None:
    extractor = HiddenState(str(bert))
    chat = extractor.extract(
        [({"role": "user", "content": "w1"},)], [({"role": "assistant", "content": "w2"},)]
    )
    assert_array_equal(chat, extractor.extract(["w1"], ["w2"]))


def test_overlong_text_loses_the_left_of_its_prompt(bert: Path) -> None:
    extractor = HiddenState(str(bert), max_tokens=8)
    with pytest.warns(UserWarning, match="1 of 2 texts have more than 8 tokens"):
        vectors = extractor.extract(["w1 w2 w3 w4 w5 w6 w7", "w1"], ["w10 w11", "w12"])
    # Eight tokens: [CLS], four of the prompt, two of the response, [SEP].
    assert_allclose(vectors[0], read_alone(bert, "w4 w5 w6 w7 w10 w11", "mean"), atol=1e-5)
    assert_allclose(vectors[1], read_alone(bert, "w1 w12", "mean"), atol=1e-5)
    assert extractor.num_cut == 1


def test_overlong_response_keeps_its_first_tokens(bert: Path) -> None:
    extractor = HiddenState(str(bert), max_tokens=6)
    with pytest.warns(UserWarning, match="were cut"):
        vectors = extractor.extract(["w1 w2"], ["w10 w11 w12 w13 w14 w15"])
    assert_allclose(vectors[0], read_alone(bert, "w10 w11 w12 w13", "mean"), atol=1e-5)
    assert extractor.num_cut == 1


def test_overlong_chat_loses_words_but_no_roles(llama: Path) -> None:
    extractor = HiddenState(str(llama), max_tokens=11)
    prompt = ({"role": "user", "content": "w1 w2 w3 w4"},)
    with pytest.warns(UserWarning, match="were cut"):
        vectors = extractor.extract([prompt], [({"role": "assistant", "content": "w5 w6"},)])
    # [CLS] user : w3 w4 [SEP] assistant : w5 w6 [SEP]
    assert_allclose(vectors[0], read_alone(llama, "user : w3 w4 [SEP] assistant : w5 w6", "mean"), atol=1e-5)


def test_cuts_are_counted_from_the_store_too_and_warned_of_once(bert: Path) -> None:
    texts = (["w1 " * 20] * 2, ["w2", "w3"])
    with pytest.warns(UserWarning, match="were cut"):
        HiddenState(str(bert), max_tokens=8).extract(*texts)
    again = Counting(str(bert), max_tokens=8)
    with pytest.warns(UserWarning, match="2 of 2"):
        again.extract(*texts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.extract(*texts)
    assert (again.num_cut, again.forwarded) == (2, 0)


def test_backbone_with_few_positions_lowers_max_tokens(bert: Path) -> None:
    extractor = HiddenState(str(bert), max_tokens=512)  # the tiny BERT has 64 positions
    with pytest.warns(UserWarning, match="64 tokens"):
        extractor.extract(["w1 " * 100], ["w2"])


def test_template_that_leaves_no_room_is_refused(bert: Path) -> None:
    with pytest.raises(FeatureError, match="max_tokens is 4"):
        HiddenState(str(bert), reads="w1 w2 w3 w4 {response}", max_tokens=4).extract([""], ["w5"])


def test_second_run_computes_nothing_and_gives_the_same_bits(bert: Path) -> None:
    first = Counting(str(bert)).extract(PROMPTS, RESPONSES)
    again = Counting(str(bert))
    assert_array_equal(again.extract(PROMPTS, RESPONSES), first)
    assert again.forwarded == 0


def test_interrupted_run_is_resumed(bert: Path) -> None:
    interrupted = Counting(str(bert), batch_tokens=64)
    interrupted.batches_allowed = 2
    with pytest.raises(KeyboardInterrupt):
        interrupted.extract(PROMPTS, RESPONSES)
    resumed = Counting(str(bert), batch_tokens=64)
    vectors = resumed.extract(PROMPTS, RESPONSES)
    assert 0 < interrupted.forwarded < len(RESPONSES)
    assert interrupted.forwarded + resumed.forwarded == len(RESPONSES)
    assert_allclose(vectors, HiddenState(str(bert), store=False).extract(PROMPTS, RESPONSES), atol=1e-5)


def test_without_a_store_nothing_is_written(bert: Path, own_cache: Path) -> None:
    HiddenState(str(bert), store=False).extract(["w1"], ["w2"])
    assert not (own_cache / "features").exists()


def test_fingerprint_changes_with_all_that_vectors_depend_on(bert: Path, llama: Path) -> None:
    changes = [
        {},
        {"pooling": "last"},
        {"reads": "response"},
        {"reads": "{prompt} {response}"},
        {"reads": "{prompt}\n\n{response}"},  # differs from the named one where the prompt is empty
        {"max_tokens": 32},
        {"dtype": "bfloat16"},
        {"backbone": str(llama)},
    ]
    prints = {HiddenState(**{"backbone": str(bert), **change}).fingerprint for change in changes}
    assert len(prints) == len(changes)
    same = HiddenState(str(bert), batch_tokens=99, device="cpu", store=False)
    assert same.fingerprint in prints


def test_fingerprint_changes_with_weights_and_tokenizer_but_not_place(bert: Path, tmp_path: Path) -> None:
    before = HiddenState(str(bert)).fingerprint
    moved = bert.rename(tmp_path / "moved")
    assert HiddenState(str(moved)).fingerprint == before
    weights = load_file(moved / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][7, 0] += 1e-3
    save_file(weights, moved / "model.safetensors", metadata={"format": "pt"})
    changed = HiddenState(str(moved)).fingerprint
    vocabulary = json.loads((moved / "tokenizer.json").read_text())
    vocabulary["model"]["vocab"] |= {"w1": vocabulary["model"]["vocab"]["w2"]}
    (moved / "tokenizer.json").write_text(json.dumps(vocabulary))
    assert len({before, changed, HiddenState(str(moved)).fingerprint}) == 3


def test_bfloat16_is_close_to_float32(bert: Path) -> None:
    full, half = (
        HiddenState(str(bert), dtype=d).extract(PROMPTS, RESPONSES) for d in ("float32", "bfloat16")
    )
    # bfloat16 keeps 8 bits: errors of a few hundredths on states of spread 1, and not none.
    assert 0 < np.abs(full - half).max() < 0.15
    assert np.abs(full - half).mean() < 0.02


def test_construction_loads_nothing() -> None:
    extractor = HiddenState("/nowhere/at/all")
    with pytest.raises(FeatureError, match="minilm, gemma-270m"):
        extractor.extract(["a"], ["b"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"reads": "{prompt}"}, "{response} once"),
        ({"max_tokens": 0}, "max_tokens is 0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        HiddenState(**arguments)


def test_numbers_are_refused(bert: Path) -> None:
    with pytest.raises(FeatureError, match="use Numeric"):
        HiddenState(str(bert)).extract(["w1"], [(0.5,)])
