"""`LineLog`: a file of JSON lines that grows as work is done, and from which a killed run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fsa.errors import ConfigError


class LineLog:
    """A JSONL file: first a line about the work, then what came of it, in the order it came.

    A line that an interrupted run left unfinished is cut off.

    Args:
        path: The file; made where it is missing.
        about: What the work is. A file of other work is refused.

    Attributes:
        lines: All lines but the first.

    Raises:
        ConfigError: The file is about other work, or a line that is not the last cannot be read.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        found, wanted = whole_lines(path), json.loads(json.dumps({"about": about}))
        self.lines: list[dict[str, Any]] = found[1:]
        if not found:
            self._write([wanted])
        elif found[0] != wanted:
            raise ConfigError(f"{path}: holds answers of another method or data; delete it, or change --out")

    def append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Keep lines that came together."""
        self._write(lines)
        self.lines += [dict(line) for line in lines]

    def _write(self, lines: Sequence[Mapping[str, Any]]) -> None:
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """Lines that were written to their end; what follows them is cut off the file.

    Raises:
        ConfigError: A line cannot be read.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as stream:
            stream.truncate(len(whole))
    found = []
    for number, line in enumerate(whole.decode("utf-8").split("\n")[:-1], 1):
        try:
            found.append(json.loads(line))
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: must be JSON: {error}") from error
    return found
