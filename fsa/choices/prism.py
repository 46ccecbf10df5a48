"""`Prism`: real people's choices among models' responses, in conversations of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from fsa.choices.reading.export import Export
from fsa.choices.reading.record import refuse
from fsa.choices.reading.row_files import RowFile, open_rows
from fsa.types import is_number

_FILE = "conversations.jsonl"
_EMPTY = ("", "EMPTY STRING")  # the second is upstream's own word for the first


class Prism(Export):
    """One choice for each turn of a conversation, among the responses shown, by the person who was there.

    Reads the configuration `conversations`, one row a conversation, because there each turn stands with what
    was said before (`utterances` holds the same in rows of one response). Of a row it reads `user_id` and
    `conversation_history`, a list in which each message has `turn` (from 0), `role` ("user" or "model") and
    `content`, and models' messages have `score` (1 to 100) and `if_chosen`.

    The opening turn shows responses of up to four models, later turns two of the model that won. Upstream,
    the best-scored response goes on being talked to, so where the best score is shared `if_chosen` is not the
    person's preference: see `ties`. A prompt is the conversation so far as a chat. There is no group, unless
    a column is named.

    In `counts`: `identical_responses` (merged), `empty_messages` (responses left out, and turns whose prompt
    is empty), `turns_without_choice` (nothing chosen, so that what follows has no known past; they are left
    out), `unclear_turns` (fewer than two responses, or not one chosen),
    `chosen_not_best` (kept: another response has a better score), `rankings_cut` (at the first shared score),
    and `ties_dropped`.

    Args:
        path: The data set on the hub, its conversations.jsonl, a folder that holds it, or files of the same
            columns.
        outcome: "choice" is a pick of the chosen response; "ranking" orders responses by score, down to the
            first score that two of them share.
        turns: "first" takes opening turns alone. "all" takes later ones as well: their prompts quote what was
            chosen before, so an episode may see in a context's prompt what a target asks for.
        group: A column to slice reports by, such as conversation_type; None for no groups.
        ties: Where the best score is shared: "drop" the turn and count it; "keep" it as a tie where all
            responses share it, and drop it where only some do; "chosen" trusts `if_chosen`.
        reading: See `Export`.

    Reference:
        [Kirk2024] The PRISM alignment dataset. Human texts are CC-BY-4.0, model responses CC-BY-NC-4.0.
    """

    counted: ClassVar[tuple[str, ...]] = (
        "ties_dropped", "identical_responses", "empty_messages", "turns_without_choice", "unclear_turns",
        "chosen_not_best", "rankings_cut",
    )  # fmt: skip

    def __init__(
        self,
        path: str = "HannahRoseKirk/prism-alignment",
        *,
        outcome: Literal["choice", "ranking"] = "choice",
        turns: Literal["first", "all"] = "first",
        group: str | None = None,
        ties: Literal["drop", "keep", "chosen"] = "drop",
        **reading: Any,
    ) -> None:
        super().__init__(path, ties="keep", **reading)
        self.outcome, self.turns, self.group, self.ties = outcome, turns, group, ties
        self.needs = ("user_id", "conversation_history", *([group] if group else []))
        self.reads = self.needs

    def _open(self) -> list[RowFile]:
        inside = Path(self.path).expanduser() / _FILE
        if inside.is_file():
            return open_rows(str(inside))
        if Path(self.path).expanduser().exists():
            return open_rows(self.path)
        return open_rows(self.path, name="conversations", split="train", revision=self.revision)

    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, Any]]:
        turns = _turns(row, where)
        past: list[dict[str, str]] = []
        for number, turn in enumerate(turns):
            past = [*past, {"role": "user", "content": turn.prompt}]
            chosen = next((response for response in turn.responses if response.is_chosen), None)
            if chosen is None:
                self._counts["turns_without_choice"] += len(turns) - number
                return
            if record := self._of_turn(turn, where):
                about = {"user": row.get("user_id"), "prompt": past, **record}
                yield f"{where} turn {number}", about | ({"group": row.get(self.group)} if self.group else {})
            if self.turns == "first":
                return
            past = [*past, {"role": "assistant", "content": chosen.text}]

    def _of_turn(self, turn: _Turn, where: str) -> dict[str, Any] | None:
        """Options and outcome, or None for a turn that says nothing."""
        responses = self._distinct(turn.responses)
        if turn.prompt in _EMPTY:
            self._counts["empty_messages"] += 1
            return None
        if len(responses) < 2 or sum(response.is_chosen for response in responses) != 1:
            self._counts["unclear_turns"] += 1
            return None
        options = {"options": [response.text for response in responses]}
        best = max(response.score for response in responses)
        sharing = sum(response.score == best for response in responses)
        is_told = self.ties == "chosen" and any(one.is_chosen and one.score == best for one in responses)
        if sharing > 1 and self.ties == "keep" and sharing == len(responses):
            return {**options, "chosen": "tie"}
        if sharing > 1 and not is_told:
            self._counts["ties_dropped"] += 1
            return None
        if self.outcome == "ranking":
            return {**options, "ranking": self._ranking(responses)}
        chosen = [response.is_chosen for response in responses].index(True)
        self._counts["chosen_not_best"] += responses[chosen].score < best
        return {**options, "chosen": chosen}

    def _distinct(self, responses: list[_Response]) -> list[_Response]:
        """The responses that are not empty, equal texts once."""
        merged: dict[str, _Response] = {}
        for one in responses:
            if one.text in _EMPTY:
                self._counts["empty_messages"] += 1
            elif one.text in merged:
                self._counts["identical_responses"] += 1
                other = merged[one.text]
                merged[one.text] = _Response(
                    one.text, max(one.score, other.score), one.is_chosen or other.is_chosen
                )
            else:
                merged[one.text] = one
        return list(merged.values())

    def _ranking(self, responses: list[_Response]) -> list[int]:
        """Best first, down to the first score that is shared by what is left."""

        def key(i: int) -> tuple[float, bool]:
            return -responses[i].score, not responses[i].is_chosen

        order = sorted(range(len(responses)), key=key)
        cut = next((i for i in range(len(order) - 1) if key(order[i]) == key(order[i + 1])), None)
        self._counts["rankings_cut"] += cut is not None
        return order[:cut]


@dataclass(frozen=True)
class _Response:
    text: str
    score: float
    is_chosen: bool


@dataclass
class _Turn:
    prompt: str
    responses: list[_Response]


def _turns(row: Mapping[str, Any], where: str) -> list[_Turn]:
    """Turns of a conversation in their order.

    Raises:
        ChoiceDataError: The row is no conversation; names the message.
    """
    if not isinstance(row.get("conversation_history"), list):
        refuse(where, "conversation_history", "a list of messages", row.get("conversation_history"))
    turns: dict[int, _Turn] = {}
    for i, message in enumerate(row["conversation_history"]):
        field = f"conversation_history[{i}]"
        _check_message(message, where, field)
        if message["role"] == "user":
            if message["turn"] in turns:
                refuse(where, f"{field}.turn", "a turn of its own for each user's message", message["turn"])
            turns[message["turn"]] = _Turn(message["content"], [])
        elif message["turn"] not in turns:
            refuse(where, f"{field}.turn", "that of a user's message before it", message["turn"])
        else:
            turns[message["turn"]].responses.append(_response(message, where, field))
    if list(turns) != list(range(len(turns))):
        refuse(where, "conversation_history", "in turns 0, 1, 2, ...", list(turns))
    return list(turns.values())


def _check_message(message: Any, where: str, field: str) -> None:
    if not isinstance(message, Mapping):
        refuse(where, field, "a message", message)
    if message.get("role") not in ("user", "model"):
        refuse(where, f"{field}.role", '"user" or "model"', message.get("role"))
    if not isinstance(message.get("content"), str):
        refuse(where, f"{field}.content", "a text", message.get("content"))
    if type(message.get("turn")) is not int:
        refuse(where, f"{field}.turn", "a whole number", message.get("turn"))


def _response(message: Mapping[str, Any], where: str, field: str) -> _Response:
    score, is_chosen = message.get("score"), message.get("if_chosen")
    if not is_number(score) or not 0 <= score <= 100:
        refuse(where, f"{field}.score", "a number from 0 to 100", score)
    if not isinstance(is_chosen, bool):
        refuse(where, f"{field}.if_chosen", "true or false", is_chosen)
    return _Response(message["content"], score, is_chosen)
