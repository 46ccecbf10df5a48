"""`fsa import`: choices from the export of another tool, as JSONL records."""

from __future__ import annotations

import inspect
import pkgutil
import sys
from collections.abc import Sequence
from pkgutil import resolve_name
from typing import Any

from jsonargparse import Namespace

import fsa.choices
from fsa.choices.reading.written import record_of
from fsa.choices.source import Source
from fsa.cli.lines import as_lines
from fsa.cli.recipes import CommandLine, plain_arguments
from fsa.files import Results
from fsa.recipes.configured import options

_OURS = frozenset({"path", "cache"})  # arguments of a source that the command itself gives


def import_(arguments: Sequence[str]) -> None:
    """Write the choices of a tool's export, and say on the error stream what was left out.

    Args:
        arguments: The command line after `fsa import`.

    Raises:
        ChoiceDataError: A row is not what the tool writes; names file, row, field and value. Nothing is
            written then, and a file that was there stays as it was.
    """
    given = plain_arguments(arguments)
    parsed = _parsed(given)
    results = Results(parsed["out"])
    own = {name: value for name, value in parsed.items() if name not in ("from", "export", "out", "config")}
    source: Any = importable()[parsed["from"]]
    paths = parsed["export"]
    table = source(path=paths[0] if len(paths) == 1 else paths, cache=False, **own).load()
    results.write(as_lines(record_of(table.choice(row)) for row in range(len(table))))
    _say(f"{len(table):,} choices of {table.num_users:,} people")
    for name, count in table.counts.items():
        if count:
            _say(f"{count:,} {name.replace('_', ' ')}")


def importable() -> dict[str, type[Source]]:
    """Every source that reads a path, by the name of its file with dashes."""
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(fsa.choices.__path__):
        for _, member in inspect.getmembers(resolve_name(f"fsa.choices.{module.name}"), inspect.isclass):
            is_source = issubclass(member, Source) and not inspect.isabstract(member)
            is_here = is_source and member.__module__ == f"fsa.choices.{module.name}"
            if is_here and "path" in inspect.signature(member).parameters:
                found[module.name.replace("_", "-")] = member
    return found


def _parsed(given: list[str]) -> dict[str, Any]:
    """The command line, whose further options are those of the source that it names."""
    sources = importable()
    name = next((value for name, value, _ in options(given) if name == "from"), "")
    parser = CommandLine(
        prog="fsa import", description="Choices from the export of another tool, as JSONL records."
    )
    parser.add_argument("--from", required=True, choices=sorted(sources), help="whose export it is")
    parser.add_argument("export", nargs="+", help="files, a folder, or a data set on the hub")
    parser.add_argument("--out", type=str, default=None, help="JSONL file to write; the screen if not given")
    if name in sources:
        parser.add_class_arguments(sources[name], skip=set(_OURS))
    parsed: Namespace = parser.parse_args(given)
    return parsed.as_dict()


def _say(line: str) -> None:
    print(line, file=sys.stderr)
