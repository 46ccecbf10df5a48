"""`Answers`: what a method said, a line of JSON each, written as it comes and never asked for twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fsa.judge.judge import Cost
from fsa.recipes.line_log import LineLog


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
        self._known: dict[str, dict[str, Any]] = {}
        self.cost = Cost()
        self._log = LineLog(path, about)
        for line in self._log.lines:
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
            self._log.append(lines)
            for line in lines:
                self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        self._known[line["id"]] = line
        if "cost" in line:
            self.cost += Cost(**line["cost"])
