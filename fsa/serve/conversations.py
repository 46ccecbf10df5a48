"""Conversations that a chat template made into one text, taken apart again.

Trainers send what their policy wrote with its template's marks around it. The model was trained on prompts
and responses; this finds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fsa.types import Messages, Text

_ROLES = {"human": "user", "model": "assistant", "bot": "assistant", "ai": "assistant", "developer": "system"}
_KNOWN = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class _Template:
    """How a family of chat templates writes a turn: a pattern with the groups `role` and `content`."""

    turn: re.Pattern[str]


# Each turn ends with its own mark or, where generation was cut off, with the text.
_TEMPLATES = tuple(
    _Template(re.compile(pattern, re.DOTALL))
    for pattern in (
        # ChatML: Qwen, Yi, many others
        r"<\|im_start\|>(?P<role>\w+)\n(?P<content>.*?)(?:<\|im_end\|>|\Z)",
        # Llama 3 and 4
        r"<\|(?:start_header_id|header_start)\|>(?P<role>\w+)<\|(?:end_header_id|header_end)\|>\n*"
        r"(?P<content>.*?)(?:<\|eot_id\|>|<\|eot\|>|<\|eom_id\|>|<\|end_of_text\|>|\Z)",
        # Gemma
        r"<start_of_turn>(?P<role>\w+)\n(?P<content>.*?)(?:<end_of_turn>|<eos>|\Z)",
        # Phi, Zephyr, Tulu, Granite's older ones
        r"<\|(?P<role>system|user|assistant)\|>\n?(?P<content>.*?)"
        r"(?:<\|end\|>|</s>|<\|endoftext\|>|(?=<\|(?:system|user|assistant)\|>)|\Z)",
    )
)
# Llama 2 and Mistral have marks around the user's turns alone.
_INSTRUCTION = re.compile(r"\[INST\](?P<user>.*?)\[/INST\](?P<assistant>.*?)(?=\[INST\]|\Z)", re.DOTALL)
_SYSTEM = re.compile(r"\A\s*<<SYS>>(?P<system>.*?)<</SYS>>", re.DOTALL)
_ENDS = re.compile(
    r"(?:\s|</s>|<s>|<eos>|<bos>|<pad>|<\|endoftext\|>|<\|im_end\|>|<\|eot_id\|>|<\|eot\|>|<\|end_of_text\|>|<\|end\|>"
    r"|<end_of_turn>|\[SEP\]|\[PAD\])+\Z"
)


def taken_apart(text: str, prompt: str | None = None) -> tuple[Text, str]:
    """Prompt and response of one text.

    Args:
        text: Prompt and response as a chat template wrote them, or without marks.
        prompt: The beginning of it that is the prompt, where the caller knows it.

    Returns:
        The prompt, a text where it is a single message of the user's and a chat otherwise, and the response
        without the marks that end it. Where no template is recognised, the prompt is as it was given ("" if
        it was not), and the response is the rest.
    """
    turns = _turns(text)
    if turns and turns[-1]["role"] == "assistant" and len(turns) > 1:
        return _plain(turns[:-1]), turns[-1]["content"]
    if prompt is None or not text.startswith(prompt):
        return prompt or "", without_end(text)
    asked = _turns(prompt)
    return (_plain(asked) if asked else prompt), without_end(text[len(prompt) :])


def without_end(text: str) -> str:
    """A text without the special tokens and the space at its end."""
    return _ENDS.sub("", text)


def _turns(text: str) -> list[dict[str, str]]:
    for template in _TEMPLATES:
        turns = [_message(found["role"], found["content"]) for found in template.turn.finditer(text)]
        turns = [turn for turn in turns if turn["role"] in _KNOWN]
        if turns:
            # A prompt that ends where the answer is to begin has an empty last turn.
            return turns if turns[-1]["content"] or turns[-1]["role"] != "assistant" else turns[:-1]
    turns = []
    for found in _INSTRUCTION.finditer(text):
        system = _SYSTEM.match(found["user"])
        if system:
            turns.append(_message("system", system["system"]))
        turns.append(_message("user", found["user"][system.end() if system else 0 :]))
        if without_end(found["assistant"]):
            turns.append(_message("assistant", found["assistant"]))
    return turns


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": _ROLES.get(role, role), "content": without_end(content).strip()}


def _plain(turns: list[dict[str, str]]) -> Text:
    if len(turns) == 1 and turns[0]["role"] == "user":
        return turns[0]["content"]
    messages: Messages = tuple(turns)
    return messages
