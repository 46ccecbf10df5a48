"""`CommunityAlignment`: people of five languages, each choosing among four replies made to differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from fsa.choices.reading.export import Export, person_in
from fsa.choices.reading.record import refuse

_TURNS = ("first", "second", "third", "fourth")
_REPLIES = ("response_a", "response_b", "response_c", "response_d")
_COLUMNS = tuple(
    f"{turn}_turn_{name}" for turn in _TURNS for name in ("prompt", *_REPLIES, "preferred_response")
)


class CommunityAlignment(Export):
    """One choice a turn among up to four replies, by the annotator who was there.

    Reads `annotator_id`, `assigned_lang` and, of each turn from "first" to "fourth", `TURN_turn_prompt`,
    `TURN_turn_response_a` to `_d` and `TURN_turn_preferred_response` ("response_a" to "response_d"). Replies
    are sampled so that they differ, and many prompts are shared by ten annotators or more. A prompt is the
    conversation so far as a chat.

    In `counts`: `identical_responses` (merged), `empty_messages` (replies left out), `unclear_turns` (left
    out: fewer than two replies), `turns_without_choice` (left out, with the turns after them) and
    `other_languages` (conversations left out).

    Args:
        path: The data set on the hub, or its CSV or Parquet files.
        turns: "first" takes opening turns alone. "all" takes later ones as well: their prompts quote what was
            chosen before, so an episode may see in a context's prompt what a target asks for.
        languages: Codes of `assigned_lang` to keep, such as [en]; None for all.
        group: A column to slice reports by, such as annotator_country; None for no groups.
        reading: See `Export`; there are no ties.

    Reference:
        [Zhang2025] Cultivating pluralism in algorithmic monoculture: the Community Alignment dataset;
        CC-BY-4.0.
    """

    needs = ("annotator_id", *_COLUMNS[: len(_REPLIES) + 2])
    counted: ClassVar[tuple[str, ...]] = (
        "identical_responses",
        "empty_messages",
        "unclear_turns",
        "turns_without_choice",
        "other_languages",
    )

    def __init__(
        self,
        path: str = "facebook/community-alignment-dataset",
        *,
        turns: Literal["first", "all"] = "first",
        languages: list[str] | None = None,
        group: str | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(path, ties="keep", **reading)
        self.turns, self.languages, self.group = turns, languages, group
        self.reads = (*_COLUMNS, "assigned_lang", *([group] if group else []))

    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        user = person_in(row.get("annotator_id"), where, "annotator_id")
        if self.languages is not None and row.get("assigned_lang") not in self.languages:
            self._counts["other_languages"] += 1
            return
        about = {"user": user} | ({"group": row.get(self.group) or ""} if self.group else {})
        past: list[dict[str, str]] = []
        for turn in _TURNS[:1] if self.turns == "first" else _TURNS:
            prompt = row.get(f"{turn}_turn_prompt")
            if _is_empty(prompt):
                return
            if not isinstance(prompt, str):
                refuse(where, f"{turn}_turn_prompt", "a text", prompt)
            preferred = row.get(f"{turn}_turn_preferred_response")
            if _is_empty(preferred):
                self._counts["turns_without_choice"] += 1
                return
            past = [*past, {"role": "user", "content": prompt}]
            replies, chosen = self._replies(row, turn, preferred, where)
            if len(replies) > 1:
                yield (
                    f"{where} {turn} turn",
                    {
                        **about,
                        "prompt": past,
                        "options": replies,
                        "chosen": replies.index(chosen),
                    },
                )
            else:
                self._counts["unclear_turns"] += 1
            past = [*past, {"role": "assistant", "content": chosen}]

    def _replies(
        self, row: Mapping[str, Any], turn: str, preferred: Any, where: str
    ) -> tuple[list[str], str]:
        """The replies that are not empty, equal texts once, and the one that was preferred."""
        field = f"{turn}_turn_preferred_response"
        if preferred not in _REPLIES:
            refuse(where, field, "one of " + ", ".join(_REPLIES), preferred)
        texts: dict[str, Any] = {name: row.get(f"{turn}_turn_{name}") for name in _REPLIES}
        if _is_empty(texts[preferred]):
            refuse(where, field, "a reply that is there", preferred)
        for name, text in texts.items():
            if not _is_empty(text) and not isinstance(text, str):
                refuse(where, f"{turn}_turn_{name}", "a text", text)
        said = [text for text in texts.values() if not _is_empty(text)]
        self._counts["empty_messages"] += len(texts) - len(said)
        self._counts["identical_responses"] += len(said) - len(set(said))
        return list(dict.fromkeys(said)), texts[preferred]


def _is_empty(value: Any) -> bool:
    """Whether a cell says nothing; "EMPTY STRING" is a word for that in data of this kind."""
    return value is None or (isinstance(value, str) and value.strip() in ("", "EMPTY STRING"))
