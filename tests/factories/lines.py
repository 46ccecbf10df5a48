"""JSONL files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def jsonl(path: Path, lines: Iterable[Any]) -> str:
    """Write objects, one a line, and lines that are text already; gives the file's name."""
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return str(path)
