"""Where a response begins and ends among the tokens that a policy reads."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from fsa.errors import FeatureError
from fsa.features.response_tokens import ResponseTokens, prompt_tokens, response_tokens
from fsa.types import Messages, Text

CLOSES_TURNS = (
    "<s>{% for message in messages %}<turn>{{ message['role'] }}\n{{ message['content'] | trim }}<end>\n"
    "{% endfor %}"
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x1e\ue000"), max_size=12)


@pytest.fixture(scope="module")
def bytes_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE, as small Llamas have: any text comes back as it was."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>", "<turn>", "<end>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=special, initial_alphabet=alphabet)
    backend.train_from_iterator(["the user and the assistant\n\nspeak of the sea " * 3], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<turn>", "<end>"],
    )


@pytest.fixture
def chats(bytes_tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_tokenizer.backend_tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<turn>", "<end>"],
    )
    tokenizer.chat_template = CLOSES_TURNS
    return tokenizer


def one(
    tokenizer: PreTrainedTokenizerFast, prompt: Text, response: Text, max_tokens: int = 999
) -> ResponseTokens:
    (tokens,) = response_tokens(tokenizer, [prompt], [response], max_tokens=max_tokens)
    return tokens


def parts(tokenizer: PreTrainedTokenizerFast, tokens: ResponseTokens) -> tuple[str, str]:
    return tokenizer.decode(tokens.ids[: tokens.start]), tokenizer.decode(tokens.ids[tokens.start :])


def says(role: str, content: str) -> Messages:
    return ({"role": role, "content": content},)


@given(prompt=TEXTS, response=TEXTS)
def test_the_decoded_span_is_the_response(
    bytes_tokenizer: PreTrainedTokenizerFast, prompt: str, response: str
) -> None:
    tokens = one(bytes_tokenizer, prompt, response)
    before, after = parts(bytes_tokenizer, tokens)
    assert after == response + "</s>"
    # Nothing begins a text with this tokenizer, so something has to where there is no prompt.
    assert before == (f"{prompt}\n\n" if prompt else "<s>")
    assert (tokens.num_cut, tokens.start >= 1) == (0, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=TEXTS, response=TEXTS)
def test_the_decoded_span_of_a_chat_is_the_response_and_the_end_of_its_turn(
    chats: PreTrainedTokenizerFast, prompt: str, response: str
) -> None:
    tokens = one(chats, says("user", prompt), says("assistant", response))
    before, after = parts(chats, tokens)
    # The template strips what Python's strip does; what comes after the end of the turn is nobody's.
    assert after == response.strip() + "<end>"
    assert before == f"<s><turn>user\n{prompt.strip()}<end>\n<turn>assistant\n"


@pytest.mark.parametrize("response", ["assistant", "end", "<", "\n", "n"])
def test_words_of_the_template_may_be_said(chats: PreTrainedTokenizerFast, response: str) -> None:
    assert parts(chats, one(chats, says("user", "x"), response))[1] == response.strip() + "<end>"


def test_one_bos_however_the_text_is_made(chats: PreTrainedTokenizerFast, tokenizer: PreTrainedTokenizerFast):
    chat = one(chats, says("user", "x"), says("assistant", "y"))
    assert chat.ids.tolist().count(chats.bos_token_id) == 1
    # This one adds [CLS] before and [SEP] after a text; none may stand between prompt and response.
    plain = one(tokenizer, "w1 w2", "w3 w4")
    assert tokenizer.decode(plain.ids) == "[CLS] w1 w2 w3 w4 [SEP]"
    assert plain.start == 3
    assert tokenizer.decode(one(tokenizer, "", "w3").ids) == "[CLS] w3 [SEP]"


def test_a_template_that_ends_turns_with_no_special_token_gets_the_end_of_text(
    chats: PreTrainedTokenizerFast,
) -> None:
    chats.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    tokens = one(chats, says("user", "x"), says("assistant", "y"))
    assert parts(chats, tokens) == ("user: x\nassistant: ", "y</s>")


def test_a_string_beside_a_chat_is_a_turn(chats: PreTrainedTokenizerFast) -> None:
    chat = one(chats, says("user", "x"), says("assistant", "y"))
    for prompt, response in (("x", says("assistant", "y")), (says("user", "x"), "y")):
        assert one(chats, prompt, response).ids.tolist() == chat.ids.tolist()


def test_an_empty_answer_in_a_chat_is_a_turn(chats: PreTrainedTokenizerFast) -> None:
    assert parts(chats, one(chats, says("user", "x"), "")) == (
        "<s><turn>user\nx<end>\n<turn>assistant\n",
        "<end>",
    )


def test_a_response_of_several_turns_is_all_that_follows_the_prompt(chats: PreTrainedTokenizerFast) -> None:
    response = (*says("assistant", "y"), *says("user", "why"), *says("assistant", "so"))
    before, after = parts(chats, one(chats, says("user", "x"), response))
    assert before == "<s><turn>user\nx<end>\n<turn>assistant\n"
    assert after == "y<end>\n<turn>user\nwhy<end>\n<turn>assistant\nso<end>"


@pytest.mark.parametrize(
    ("max_tokens", "expected", "start"),
    [
        (8, "[CLS] w1 w2 w3 w4 w5 w6 [SEP]", 4),
        (7, "[CLS] w2 w3 w4 w5 w6 [SEP]", 3),
        (5, "[CLS] w4 w5 w6 [SEP]", 1),
        (4, "[CLS] w4 w5 w6", 1),  # the response's end goes first: it did not end there
        (2, "[CLS] w4", 1),
    ],
)
def test_the_prompt_goes_from_the_left_then_the_response_from_the_right(
    tokenizer: PreTrainedTokenizerFast, max_tokens: int, expected: str, start: int
) -> None:
    tokens = one(tokenizer, "w1 w2 w3", "w4 w5 w6", max_tokens)
    assert tokenizer.decode(tokens.ids) == expected
    assert (tokens.start, tokens.num_cut) == (start, 8 - max_tokens)


def test_a_cut_chat_keeps_its_roles(chats: PreTrainedTokenizerFast) -> None:
    whole = one(chats, says("user", "0123456789"), "y")
    assert parts(chats, one(chats, says("user", "0123456789"), "y", len(whole.ids) - 4)) == (
        "<s><turn>user\n456789<end>\n<turn>assistant\n",
        "y<end>",
    )


def test_no_room_for_any_response_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(FeatureError, match="max_tokens is 1, but the template and its special tokens take 1"):
        one(tokenizer, "w1", "w2", 1)


def test_generation_starts_from_what_stands_before_a_response(
    chats: PreTrainedTokenizerFast, tokenizer: PreTrainedTokenizerFast
) -> None:
    for made, prompt in ((chats, says("user", "x")), (chats, "x"), (tokenizer, "w1 w2"), (tokenizer, "")):
        (ids,) = prompt_tokens(made, [prompt], max_tokens=99)
        whole = one(made, prompt, "y")
        assert ids.tolist() == whole.ids[: whole.start].tolist()
    (ids,) = prompt_tokens(tokenizer, ["w1 w2 w3"], max_tokens=2)
    assert tokenizer.decode(ids) == "[CLS] w3"


def test_many_at_once_are_each_what_they_are_alone(chats: PreTrainedTokenizerFast) -> None:
    prompts = ["x", says("user", "x"), "x", "", says("user", "other")]
    responses = ["y", "y", "z", "", "y"]
    together = response_tokens(chats, prompts, responses, max_tokens=99)
    for prompt, response, tokens in zip(prompts, responses, together, strict=True):
        alone = one(chats, prompt, response)
        assert (alone.ids.tolist(), alone.start) == (tokens.ids.tolist(), tokens.start)
    assert response_tokens(chats, [], [], max_tokens=99) == []


def test_a_template_that_looks_ahead_is_refused(chats: PreTrainedTokenizerFast) -> None:
    chats.chat_template = "{{ messages[-1]['content'] | length }}" + CLOSES_TURNS
    with pytest.raises(FeatureError, match="must not depend on it"):
        one(chats, says("user", "x"), says("assistant", "yy"))


def test_a_tokenizer_without_an_end_is_refused(bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    endless = PreTrainedTokenizerFast(tokenizer_object=bytes_tokenizer.backend_tokenizer)
    with pytest.raises(FeatureError, match="no end-of-text token"):
        one(endless, "x", "y")
