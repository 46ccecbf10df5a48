"""Conversations taken apart: each family of chat templates, as trainers send it."""

import pytest

from fsa.serve.conversations import taken_apart, without_end

CHATML = "<|im_start|>user\nTea?<|im_end|>\n<|im_start|>assistant\n"
LLAMA3 = (
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nTea?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)
LLAMA4 = (
    "<|begin_of_text|><|header_start|>user<|header_end|>\n\nTea?<|eot|>"
    "<|header_start|>assistant<|header_end|>\n\n"
)
GEMMA = "<bos><start_of_turn>user\nTea?<end_of_turn>\n<start_of_turn>model\n"
PHI = "<|user|>\nTea?<|end|>\n<|assistant|>\n"
ZEPHYR = "<|user|>\nTea?</s>\n<|assistant|>\n"
MISTRAL = "<s>[INST] Tea? [/INST]"
ENDS = [
    (CHATML, "<|im_end|>\n"),
    (CHATML, "<|im_end|><|endoftext|>"),
    (LLAMA3, "<|eot_id|>"),
    (LLAMA4, "<|eot|>"),
    (GEMMA, "<end_of_turn>\n<eos>"),
    (PHI, "<|end|><|endoftext|>"),
    (ZEPHYR, "</s>"),
    (MISTRAL, "</s>"),
]


@pytest.mark.parametrize(("prompt", "end"), [*ENDS, *((prompt, "") for prompt, _ in ENDS)])
@pytest.mark.parametrize("knows_prompt", [True, False])
def test_prompt_and_response_are_what_was_said(prompt, end, knows_prompt):
    said = taken_apart(prompt + "Yes, please.\nTwo sugars." + end, prompt if knows_prompt else None)
    assert said == ("Tea?", "Yes, please.\nTwo sugars.")


@pytest.mark.parametrize(("prompt", "end"), ENDS)
def test_an_answer_of_nothing_is_an_empty_response(prompt, end):
    assert taken_apart(prompt + end, prompt) == ("Tea?", "")


def test_several_turns_and_a_system_message_are_a_chat():
    text = (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nTea?<|im_end|>\n"
        "<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nSugar?<|im_end|>\n"
        "<|im_start|>assistant\nNo.<|im_end|>\n"
    )
    prompt, response = taken_apart(text)
    assert [(turn["role"], turn["content"]) for turn in prompt] == [
        ("system", "Be brief."),
        ("user", "Tea?"),
        ("assistant", "Yes."),
        ("user", "Sugar?"),
    ]
    assert response == "No."


def test_llama_2_has_its_system_message_inside_the_first_turn():
    prompt, response = taken_apart("<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nTea? [/INST] Yes. </s>")
    assert [turn["role"] for turn in prompt] == ["system", "user"]
    assert (prompt[0]["content"], prompt[1]["content"], response) == ("Be brief.", "Tea?", "Yes.")


def test_without_a_template_the_prompt_is_cut_off_by_its_length():
    assert taken_apart("Q: Tea?\nA: Yes.</s>", "Q: Tea?\nA:") == ("Q: Tea?\nA:", " Yes.")


def test_without_a_prompt_the_text_is_the_response():
    assert taken_apart("Yes.") == ("", "Yes.")


def test_a_prompt_that_is_no_beginning_is_kept_beside_the_whole_text():
    assert taken_apart("Yes.", "Tea?") == ("Tea?", "Yes.")


def test_marks_in_the_middle_are_no_end():
    assert without_end("a </s> b") == "a </s> b"
