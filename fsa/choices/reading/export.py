"""`Export`: what sources of another tool's rows have in common, each row giving any number of choices."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from fsa.choices.reading.json_list import holds_list, json_list
from fsa.choices.reading.record import refuse
from fsa.choices.reading.record_source import FileSource
from fsa.choices.reading.row_files import RowFile, open_rows
from fsa.errors import ChoiceDataError

_ROLES = {"human": "user", "model": "assistant", "bot": "assistant", "gpt": "assistant"}


class Export(FileSource):
    """Rows in the layout of another tool, from a file (JSON list, JSONL, CSV, Parquet), a folder of
    `Dataset.save_to_disk`, or a data set on the hub.

    A subclass says in `needs` which columns it cannot do without, in `reads` which others it looks at (none:
    all there are), in `counted` what it leaves out, and in `_of_row` what a row comes to mean.

    Args:
        path: What `open_rows` opens, or a file of one JSON list.
        revision: Branch, tag or commit on the hub.
        reading: See `RecordSource`.
    """

    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    counted: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        path: Any,
        revision: str | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(**reading)
        self.path, self.revision = path, revision

    @abstractmethod
    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Records of a row, each with its place.

        Raises:
            ChoiceDataError: The row is not what the tool writes; names the place, the field and the value.
        """

    def _open(self) -> list[RowFile]:
        if isinstance(self.path, str | Path) and holds_list(here := Path(self.path).expanduser()):
            name = str(self.path)
            return [RowFile(name, None, frozenset(), "", (here,), lambda _, on_bad: json_list(here))]
        return open_rows(self.path, revision=self.revision)

    def _records(self) -> Iterator[tuple[str, Any]]:
        self._counts |= dict.fromkeys(self.counted, 0)
        for file in self._files:
            there = file.columns or frozenset()
            wanted = [*self.needs, *(sorted(there) if not self.reads else self.reads)]
            columns = dict.fromkeys(name for name in wanted if name in self.needs or name in there)
            for where, row in file.read(tuple(columns), self._on_bad):
                try:
                    if not isinstance(row, Mapping):
                        refuse(where, "row", "an object", row)
                    found = list(self._of_row(row, where, file.split))
                except ChoiceDataError as error:
                    self._on_bad(error)
                    continue
                yield from found


def person_in(value: Any, where: str, field: str) -> str:
    """Who chose: a text, or a whole number that names a person.

    Raises:
        ChoiceDataError: It is neither.
    """
    if type(value) is int:
        return str(value)
    if not isinstance(value, str) or not value.strip():
        refuse(where, field, "who chose, as a text or whole number", value)
    return value


def messages_in(value: Any, where: str, field: str) -> list[dict[str, str]]:
    """A conversation: messages, or their JSON, whose content is a text or a list of parts with texts.

    Roles that other tools have for the assistant and the user are called so.

    Raises:
        ChoiceDataError: It is none, or a part of it is no text.
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            refuse(where, field, "messages as JSON", value)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        refuse(where, field, "a list of messages", value)
    return [_message(message, where, f"{field}[{i}]") for i, message in enumerate(value)]


def has_ink(messages: Sequence[Mapping[str, str]]) -> bool:
    """Whether anything is said in some messages."""
    return any(message["content"].strip() for message in messages)


def _message(value: Any, where: str, field: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        refuse(where, field, "a message with role and content", value)
    role = value.get("role")
    if not isinstance(role, str):
        refuse(where, f"{field}.role", "a text", role)
    content = value.get("content")
    if isinstance(content, Sequence) and not isinstance(content, str):
        for i, part in enumerate(content):
            if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
                refuse(where, f"{field}.content[{i}]", "a part with a text (images cannot be read)", part)
        content = "\n".join(part["text"] for part in content)
    if not isinstance(content, str):
        refuse(where, f"{field}.content", "a text", content)
    return {"role": _ROLES.get(role, role), "content": content}
