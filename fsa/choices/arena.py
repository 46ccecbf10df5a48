"""`Arena`: people's votes between two models' conversations, as the Chatbot Arena publishes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from fsa.choices.reading.export import Export, has_ink, messages_in, person_in
from fsa.choices.reading.record import refuse
from fsa.errors import ChoiceDataError

_PEOPLE = ("judge", "evaluation_session_id")
_WINNERS = {"model_a": 0, "model_b": 1, "tie": "tie"}
_BOTH_BAD = ("tie (bothbad)", "both_bad", "bothbad")


class Arena(Export):
    """One choice a row, between what two models said in a conversation that a person had with both.

    Reads `conversation_a`, `conversation_b` and `winner`, and who voted: `judge` (33k), else
    `evaluation_session_id` (100k, 140k), which is one visit of a person rather than the person. The prompt is
    what both conversations begin with; the options are the replies, or the rest of each conversation where
    there was more than one turn. Collections that do not say who voted (55k) are refused.

    In `counts`: `both_bad` (votes against both, left out), `identical_responses` and `empty_messages` (left
    out), `with_images` (left out) and `longer_conversations` (left out where `turns` is "first").

    Args:
        path: The data set on the hub, or files of its columns.
        person: Column of who voted; None takes the first of those above that there is.
        both_bad: Votes against both: "drop" them, or "keep" them as ties.
        turns: "all" takes votes on conversations of any length, "first" those on one reply alone.
        group: A column to slice reports by, such as language; None for no groups.
        reading: See `Export`.

    Reference:
        [Zheng2023] Judging LLM-as-a-judge with MT-Bench and Chatbot Arena.
    """

    needs = ("conversation_a", "conversation_b", "winner")
    counted: ClassVar[tuple[str, ...]] = (
        "both_bad",
        "identical_responses",
        "empty_messages",
        "with_images",
        "longer_conversations",
    )

    def __init__(
        self,
        path: str = "lmsys/chatbot_arena_conversations",
        *,
        person: str | None = None,
        both_bad: Literal["drop", "keep"] = "drop",
        turns: Literal["all", "first"] = "all",
        group: str | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(path, **reading)
        self.person, self.both_bad, self.turns, self.group = person, both_bad, turns, group
        self.reads = tuple(name for name in (*([person] if person else _PEOPLE), group) if name)

    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        user = self._person(row, where)
        outcome = self._outcome(row.get("winner"), where)
        if outcome is None:
            self._counts["both_bad"] += 1
            return
        if any(_has_image(row.get(name)) for name in self.needs[:2]):
            self._counts["with_images"] += 1
            return
        a, b = (messages_in(row.get(name), where, name) for name in self.needs[:2])
        prompt, options = _taken_apart(a, b, where)
        if not (has_ink(options[0]) and has_ink(options[1])):
            self._counts["empty_messages"] += 1
        elif options[0] == options[1]:
            self._counts["identical_responses"] += 1
        elif self.turns == "first" and not all(len(option) == 1 for option in options):
            self._counts["longer_conversations"] += 1
        else:
            group = {"group": row.get(self.group)} if self.group else {}
            yield (
                where,
                {
                    "user": user,
                    "prompt": prompt,
                    "options": [one[0]["content"] if len(one) == 1 else one for one in options],
                    "chosen": outcome,
                    **group,
                },
            )

    def _person(self, row: Mapping[str, Any], where: str) -> str:
        names = (self.person,) if self.person else _PEOPLE
        name = next((name for name in names if row.get(name) is not None), None)
        if name is None:
            allowed = "in the column " + " or ".join(map(str, names))
            raise ChoiceDataError(
                f"{where}: who voted must be {allowed}, came neither; a collection that does not say who "
                "voted cannot tell people apart"
            )
        return person_in(row[name], where, name)

    def _outcome(self, winner: Any, where: str) -> Any:
        """Number of the option or "tie"; None for a vote against both that is left out."""
        if winner in _BOTH_BAD:
            return "tie" if self.both_bad == "keep" else None
        if not isinstance(winner, str) or winner not in _WINNERS:
            refuse(where, "winner", "one of " + ", ".join([*_WINNERS, *_BOTH_BAD]), winner)
        return _WINNERS[winner]


def _taken_apart(a: list[Any], b: list[Any], where: str) -> tuple[list[Any], tuple[list[Any], list[Any]]]:
    """What both conversations begin with, up to the first reply, and how each goes on."""
    end = next((i for i, message in enumerate(a) if message["role"] == "assistant"), len(a))
    if end in (0, len(a)) or a[:end] != b[:end]:
        allowed = "one that begins as conversation_a does, with what the person said"
        refuse(where, "conversation_b", allowed, b[:end])
    return a[:end], (a[end:], b[end:])


def _has_image(conversation: Any) -> bool:
    return isinstance(conversation, list) and any(
        isinstance(part, Mapping) and (part.get("image") or part.get("type") == "image")
        for message in conversation
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        for part in message["content"]
    )
