"""`PeopleFile`: people and their choices in a JSONL file, which may change at any time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsa.choices.reading.json_lines import json_lines, stop
from fsa.choices.reading.record import parse_record
from fsa.errors import ChoiceDataError
from fsa.serve.people import Records, choices_hash

if TYPE_CHECKING:
    from fsa.serve.store.people import Who

_NOT_KEPT = ("user", "group", "split")


class PeopleFile:
    """Records of a JSONL file by their user. It is read again when it was written.

    Tenants are not told apart: a reader of the file reads all of it.

    Args:
        path: Such as choices.jsonl; see `parse_record` for the format.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self._stamp: tuple[int, int, int] | None = None
        self._people: Mapping[str, list[dict[str, Any]]] = {}
        self._revisions: Mapping[str, str] = {}

    def revisions(self, people: Collection[Who]) -> dict[Who, str]:
        """A hash of the choices of each person that there is.

        Raises:
            ChoiceDataError: The file cannot be read, or a record of it is none; names file and line.
        """
        self._refresh()
        return {who: self._revisions[who[1]] for who in people if who[1] in self._revisions}

    def records(self, people: Collection[Who]) -> dict[Who, list[dict[str, Any]]]:
        """Records of each person's choices, in the order of the file, as of the last `revisions`."""
        return {who: list(self._people.get(who[1], ())) for who in people}

    def _refresh(self) -> None:
        try:
            about = self.path.stat()
        except OSError as error:
            raise ChoiceDataError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
        if stamp == self._stamp:
            return
        people: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for where, raw in json_lines(self.path, stop):
            choice = parse_record(raw, where)
            people[choice.user].append({k: v for k, v in raw.items() if k not in _NOT_KEPT})
        self._people, self._stamp = dict(people), stamp
        self._revisions = {user: choices_hash(records) for user, records in people.items()}


def open_people(where: str) -> Records:
    """People in a JSONL file, or in a server's database where it is an address such as sqlite:///db.

    Raises:
        StoreError: The database cannot be reached.
    """
    if "://" not in where:
        return PeopleFile(where)
    # Needs the extra `serve`.
    from fsa.serve.store.database import open_database
    from fsa.serve.store.people import PeopleStore

    return PeopleStore(open_database(where))
