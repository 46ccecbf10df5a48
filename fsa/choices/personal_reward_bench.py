"""`PersonalRewardBench`: people's pairs, each person's own split into what is known and what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from fsa.choices.reading.export import Export, has_ink, messages_in, person_in
from fsa.choices.reading.record import refuse

_SPLITS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


class PersonalRewardBench(Export):
    """One choice a row: of two replies to what was said before, the one that a person preferred.

    Reads `user_id`, `split`, `context` (messages), `chosen` and `rejected` (a message each, or a list of
    one). The bench splits every person's own choices, so train, validation and test hold the same people:
    split by record, and give each test choice that person's other choices as context.

    In `counts`: `identical_responses` and `empty_messages`, left out.

    Args:
        path: The data set on the hub, of the Chatbot Arena or (`MichaelR207/prism_personalized_0125`) of
            PRISM; or files of its columns.
        reading: See `Export`; there are no ties.

    Reference:
        [Ryan2025] SynthesizeMe! Inducing persona-guided prompts for personalized reward models in LLMs.
    """

    needs = ("user_id", "context", "chosen", "rejected")
    reads = ("split",)
    counted: ClassVar[tuple[str, ...]] = ("identical_responses", "empty_messages")

    def __init__(
        self,
        path: str = "MichaelR207/chatbot_arena_personalized_0125",
        **reading: Any,
    ) -> None:
        super().__init__(path, ties="keep", **reading)

    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        user = person_in(row.get("user_id"), where, "user_id")
        named = row.get("split") or split
        if named not in _SPLITS:
            refuse(where, "split", "one of " + ", ".join(_SPLITS), named)
        prompt = messages_in(row.get("context"), where, "context")
        replies = [messages_in(row.get(name), where, name) for name in ("chosen", "rejected")]
        for name, reply in zip(("chosen", "rejected"), replies, strict=True):
            if len(reply) != 1:
                refuse(where, name, "one message", row.get(name))
        if not all(map(has_ink, [prompt, *replies])):
            self._counts["empty_messages"] += 1
        elif replies[0][0]["content"] == replies[1][0]["content"]:
            self._counts["identical_responses"] += 1
        else:
            options = [reply[0]["content"] for reply in replies]
            yield (
                where,
                {
                    "user": user,
                    "prompt": prompt,
                    "options": options,
                    "chosen": 0,
                    "split": _SPLITS[named],
                },
            )
