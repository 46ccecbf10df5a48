"""Parts of a model by class path: the plain form they have in a config, and how they are built from it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar, get_type_hints

from fsa.errors import CheckpointError

Spec: TypeAlias = Mapping[str, Any]
"""`{"class_path": "fsa...", "init_args": {...}}`, as in YAML; arguments may hold further parts."""

_Part = TypeVar("_Part")


def build_part(
    config: Mapping[str, Any], slot: str, base: type[_Part], *widths: int, trust_remote_code: bool = False
) -> _Part:
    """Build one part of a config, checking who it is before any of its code runs.

    Args:
        config: Holds the part's plain form under the name of the slot.
        slot: Name of the part.
        base: What the part has to be.
        widths: Arguments that depend on data and come first.
        trust_remote_code: Whether class paths outside `fsa.` may be imported.

    Raises:
        CheckpointError: The class path is foreign, unknown, or of another base; or its arguments do not fit.
            The same holds of parts among its arguments.
    """
    return _build(config.get(slot), f"config.json: {slot}", base, widths, trust_remote_code)


def refuse_foreign(config: Any, where: str) -> None:
    """Stop at a class path outside fsa, anywhere in a config; nothing is imported.

    Raises:
        CheckpointError: There is one; names where it stands.
    """
    if isinstance(config, Mapping):
        path = config.get("class_path")
        if path is not None and not str(path).startswith("fsa."):
            raise CheckpointError(
                f"{where} is {path}, which is not part of fsa; to run such code pass trust_remote_code=True"
            )
        for name, value in config.items():
            refuse_foreign(value, where if name == "init_args" else f"{where}.{name}")
    elif isinstance(config, list | tuple):
        for i, value in enumerate(config):
            refuse_foreign(value, f"{where}[{i}]")


def _build(spec: Any, where: str, base: type[_Part], widths: tuple[int, ...], trust: bool) -> _Part:
    if not isinstance(spec, Mapping) or not isinstance(spec.get("class_path"), str):
        raise CheckpointError(f"{where} should be an object with a class_path, came {spec!r:.80}")
    if unknown := spec.keys() - {"class_path", "init_args"}:
        raise CheckpointError(f"{where} holds {', '.join(sorted(unknown))} beside class_path and init_args")
    if not trust:
        refuse_foreign(spec, where)
    path = spec["class_path"]
    part = _import(path, where)
    # A module of fsa holds names that it imported itself: those are foreign too.
    if not isinstance(part, type) or not (trust or part.__module__.startswith("fsa.")):
        raise CheckpointError(f"{where} is {path}, which is no class of fsa")
    if not issubclass(part, base):
        raise CheckpointError(f"{where} is {path}, which is no {base.__name__}")
    arguments = _arguments(spec.get("init_args") or {}, where, part, trust)
    try:
        return part(*widths, **arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{where} ({path}): {error}") from error


def _arguments(init_args: Mapping[str, Any], where: str, part: type, trust: bool) -> dict[str, Any]:
    """Arguments of a part, those that are parts themselves built first."""
    return {
        name: _build(value, f"{where}.{name}", _wanted(part, name), (), trust)
        if isinstance(value, Mapping) and "class_path" in value
        else value
        for name, value in init_args.items()
    }


def _wanted(part: type, name: str) -> type:
    """The class that a part's argument has to be of, by its annotation; any class where that is no class."""
    hint = get_type_hints(inspect.unwrap(part.__init__)).get(name)  # type: ignore[misc]
    return hint if isinstance(hint, type) else object


def _import(path: str, where: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CheckpointError(f"{where} is {path}, which this fsa does not have: {error}") from error
