"""Mended faults, put back one at a time: the fuzzers have to notice each (ids as in the tests of faults)."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from fsa.runs import components


@dataclass(frozen=True)
class Mended:
    """A fault that was.

    Attributes:
        what: In words.
        target: Name of the fuzzer that has to notice it.
        instead: What stood in the place of something, by its dotted name.
    """

    what: str
    target: str
    instead: Mapping[str, Callable[..., Any]]


def _arguments_as_they_came(init_args: Any, where: str, part: type, trust: bool) -> dict[str, Any]:
    hints = components.arguments_of(part) or {}
    return {n: components._argument(v, hints.get(n), where, trust) for n, v in init_args.items()}


MENDED = {
    "F7": Mended(
        "numbers that make no sense train", "commands",
        {"fsa.settings.Range.check": lambda self, name, value: None},
    ),
    "F17": Mended(
        "half surrogate pairs are tracebacks", "people",
        {"fsa.choices.reading.writable.check_writable": lambda raw, where: None},
    ),
    "F20": Mended(
        "init_args that is a list is a traceback", "folders",
        {"fsa.runs.components._arguments": _arguments_as_they_came},
    ),
    "F21": Mended(
        "weights of whole numbers are cast", "folders",
        {"fsa.runs.folder._is_same_kind": lambda stored, wanted: True},
    ),
    "F23": Mended(
        "Parquet with bytes that are no text is a traceback", "choices",
        {"fsa.choices.reading.row_files._rows_of": lambda batch: iter(batch.to_pylist())},
    ),
    "F29": Mended(
        "values of any kind are taken until they are used", "folders",
        {"fsa.runs.components._fits": lambda value, hint: True},
    ),
    "F38": Mended(
        "a target that names an attribute twice is accepted", "people",
        {"fsa.judge.schema._unique": dict},
    ),
    "F41": Mended(
        "options that nobody can see are no blanks", "choices",
        {name: lambda text: bool(text.strip())
         for name in ("fsa.choices.reading.plain.has_ink", "fsa.choices.reading.record.has_ink")},
    ),
}  # fmt: skip


@contextlib.contextmanager
def put_back(fault: str) -> Iterator[None]:
    """The fault is there as long as this lasts."""
    with contextlib.ExitStack() as stack:
        for name, instead in MENDED[fault].instead.items():
            stack.enter_context(patch(name, instead))
        yield
