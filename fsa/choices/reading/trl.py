"""TRL's preference rows: where the prompt ends when a row leaves it inside the replies."""

from __future__ import annotations

import os.path

from fsa.errors import ChoiceDataError
from fsa.types import Messages, Text

_TURN = "\n\nAssistant:"  # of dialogues in plain text


def explicit_prompt(prompt: Text | None, chosen: Text, rejected: Text) -> tuple[Text, tuple[Text, Text]]:
    """The prompt, and the two replies without it.

    - Texts with a prompt are taken as they are.
    - Texts without one share a beginning. The prompt ends after its last "Assistant:" turn where it has one,
      so that one dialogue is one prompt whatever words its replies share; else after its last whole word,
      which leaves the space to the replies as TRL does; without a whole word the prompt is "".
    - Chats share leading messages, which are the prompt. A prompt given as messages is cut off replies that
      repeat it; one given as text must occur in the messages that the chats share, if they share any.

    Args:
        prompt: What the row gives as prompt; None where it gives none.
        chosen: Text or chat.
        rejected: Of the same kind, and not equal.

    Raises:
        ChoiceDataError: There is no telling prompt from reply; names the field, not the file.

    Reference:
        TRL's "implicit prompt" dataset format; its rule for texts is the longest common beginning.
    """
    if isinstance(chosen, str) and isinstance(rejected, str):
        end = _end_of_shared_text(chosen, rejected) if prompt is None else 0
        return (chosen[:end] if prompt is None else prompt), (chosen[end:], rejected[end:])
    assert isinstance(chosen, tuple)
    assert isinstance(rejected, tuple)
    shared = _shared_messages(chosen, rejected)
    if isinstance(prompt, tuple):
        # Cut what both repeat of the prompt, and no more: replies may well begin alike.
        end = len(prompt) if shared[: len(prompt)] == prompt else 0
        return prompt, (chosen[end:], rejected[end:])
    if not shared and prompt is None:
        raise ChoiceDataError(
            "prompt is missing, and chosen and rejected share no leading message to take for it"
        )
    if not shared:
        return prompt or "", (chosen, rejected)
    if prompt and all(prompt.strip() not in message["content"] for message in shared):
        raise ChoiceDataError(
            "prompt must be among the messages that chosen and rejected begin with (or leave it out), "
            f"came {prompt[:60]!r}"
        )
    return shared, (chosen[len(shared) :], rejected[len(shared) :])


def _shared_messages(chosen: Messages, rejected: Messages) -> Messages:
    length = 0
    while length < min(len(chosen), len(rejected)) and chosen[length] == rejected[length]:
        length += 1
    if length == min(len(chosen), len(rejected)):
        short = "chosen" if len(chosen) == length else "rejected"
        raise ChoiceDataError(
            f"{short} must hold a reply; the other chat begins with all {length} of its messages"
        )
    return chosen[:length]


def _end_of_shared_text(chosen: str, rejected: str) -> int:
    shared = os.path.commonprefix([chosen, rejected])  # noqa: RUF071 - letter by letter it is
    turn = shared.rfind(_TURN)
    end = turn + len(_TURN) if turn >= 0 else _end_of_words(shared)
    if chosen[end:].strip() and rejected[end:].strip():
        return end
    if turn >= 0:
        short = "rejected" if chosen[end:].strip() else "chosen"
        raise ChoiceDataError(f"{short} must hold a reply after its last 'Assistant:', came nothing")
    return 0


def _end_of_words(shared: str) -> int:
    end = len(shared)
    while end and not shared[end - 1].isspace():
        end -= 1
    return end - 1 if shared[:end].endswith(" ") else end
