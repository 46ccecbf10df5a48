"""`in_run_folder`, `alone_in_out`: recipes that have their folder to themselves."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from fsa.files import only_writer
from fsa.runs.claim import check_free
from fsa.training.processes import is_first_process

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def in_run_folder(recipe: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Let a recipe with `out`, `config`, `resume` and `overwrite` hold the lock of its folder while it works.

    Raises:
        OutputError: Another process writes there, or it cannot be written.
        ConfigError: See `check_free`.
    """

    @functools.wraps(recipe)
    def run(*positional: _Given.args, **named: _Given.kwargs) -> _Made:
        given = _given(recipe, *positional, **named)
        folder = Path(given["out"])
        is_first = is_first_process()  # the others may come when it has begun
        with only_writer(folder) if is_first else nullcontext():
            if is_first:
                check_free(folder, given["config"], given["resume"], given["overwrite"])
            return recipe(*positional, **named)

    return run


def alone_in_out(recipe: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Let a recipe hold the lock of its folder `out` while it works; it goes on from what is kept there.

    Raises:
        OutputError: Another process writes there, or it cannot be written.
    """
    return _alone(recipe, lambda out: out)


def alone_beside_out(recipe: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """The same where `out` is a file: the lock is that of the folder that it lies in."""
    return _alone(recipe, lambda out: out.parent)


def _alone(recipe: Callable[_Given, _Made], folder_of: Callable[[Path], Path]) -> Callable[_Given, _Made]:
    @functools.wraps(recipe)
    def run(*positional: _Given.args, **named: _Given.kwargs) -> _Made:
        with only_writer(folder_of(Path(_given(recipe, *positional, **named)["out"]))):
            return recipe(*positional, **named)

    return run


def _given(
    recipe: Callable[_Given, _Made], *positional: _Given.args, **named: _Given.kwargs
) -> Mapping[str, Any]:
    """Arguments of a call by name, defaults included."""
    bound = inspect.signature(recipe).bind(*positional, **named)
    bound.apply_defaults()
    return bound.arguments
