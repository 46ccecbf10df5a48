"""`Answers`: what a method said, a line of JSON each, written as it comes and never asked for twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fsa.cli.lines import as_lines
from fsa.errors import ConfigError
from fsa.judge.judge import Cost


class Answers:
    """A JSONL file: first a line about the method, then one line an answer, each with its `id`.

    Answers that come together are written together, the first of them with the cost of all. A line that an
    interrupted run left unfinished is dropped, and that answer is asked for again.

    Args:
        path: The file; made where it is missing.
        about: The method and what it learned from. A file of something else is refused.

    Raises:
        ConfigError: The file is about something else, or a line that is not the last cannot be read.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path = path
        self._known: dict[str, dict[str, Any]] = {}
        self.cost = Cost()
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = self._whole_lines()
        if not lines:
            self._append([{"about": about}])
        elif lines[0] != json.loads(json.dumps({"about": about})):
            raise ConfigError(f"{path}: holds answers of another method or data; delete it, or change --out")
        for line in lines[1:]:
            self._take(line)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, one: str) -> bool:
        return one in self._known

    def __getitem__(self, one: str) -> dict[str, Any]:
        return self._known[one]

    def add(self, answers: Sequence[Mapping[str, Any]], cost: Cost) -> None:
        """Keep answers that came together, each with an `id`."""
        lines = [dict(answer) for answer in answers]
        if lines:
            lines[0]["cost"] = asdict(cost)
            self._append(lines)
            for line in lines:
                self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        self._known[line["id"]] = line
        if "cost" in line:
            self.cost += Cost(**line["cost"])

    def _append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(as_lines(lines))

    def _whole_lines(self) -> list[dict[str, Any]]:
        """Lines that were written to their end; what follows them is cut off the file."""
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            with self.path.open("r+b") as stream:
                stream.truncate(len(whole))
        found = []
        for number, line in enumerate(whole.decode("utf-8").split("\n")[:-1], 1):
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise ConfigError(f"{self.path}:{number}: must be JSON: {error}") from error
        return found
