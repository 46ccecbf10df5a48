"""Parts of a model by class path: the plain form they have in a config, and how they are built from it."""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import torch

from fsa.errors import CheckpointError

_Part = TypeVar("_Part")
_MOST_DOTS = 20


def build_parts(
    config: Mapping[str, Any], bases: Mapping[str, type], *widths: int, trust_remote_code: bool = False
) -> dict[str, Any]:
    """Build parts of a config, checking who each is before any of its code runs.

    Args:
        config: Holds the parts' plain forms under their names, `{"class_path": "fsa...", "init_args": {...}}`
            as in YAML; arguments may hold further parts.
        bases: What each part has to be, by name.
        widths: Arguments that depend on data and come first.
        trust_remote_code: Whether class paths outside `fsa.` may be imported.

    Raises:
        CheckpointError: The class path is foreign, unknown, or of another base; or its arguments do not fit.
            The same holds of parts among its arguments.
    """
    return {
        slot: _build(config.get(slot), f"config.json: {slot}", base, widths, trust_remote_code)
        for slot, base in bases.items()
    }


def without_memory(
    config: Mapping[str, Any],
    bases: Mapping[str, type],
    *widths: int,
    but: str,
    trust_remote_code: bool = False,
) -> dict[str, Any]:
    """Parts of a config without memory for their numbers: as torch's device "meta" has them.

    Those of a class of which `but` is true, and those that cannot be built, are left out. The rest is as in
    `build_parts`.
    """
    found: dict[str, Any] = {}
    for slot, base in bases.items():
        spec = config.get(slot)
        try:
            if not trust_remote_code:
                refuse_foreign(spec, slot)
            if not getattr(class_at(spec["class_path"], slot), but, False):  # type: ignore[index]
                with torch.device("meta"):  # shapes alone
                    found[slot] = _build(spec, slot, base, widths, trust_remote_code)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError):
            continue
    return found


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
    part = class_at(path, where)
    # A module of fsa holds names that it imported itself: those are foreign too.
    if not isinstance(part, type) or not (trust or part.__module__.startswith("fsa.")):
        raise CheckpointError(f"{where} is {path}, which is no class of fsa")
    if not issubclass(part, base):
        raise CheckpointError(f"{where} is {path}, which is no {base.__name__}")
    arguments = _arguments(spec.get("init_args") or {}, where, part, trust)
    try:
        return part(*widths, **arguments)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{where} ({path}): {error}") from error


def _arguments(init_args: Any, where: str, part: type, trust: bool) -> dict[str, Any]:
    """Arguments of a part: names checked before any value, then those that are parts themselves built."""
    if not isinstance(init_args, Mapping):
        raise CheckpointError(f"{where}.init_args should be an object of names, came {init_args!r:.80}")
    taken = arguments_of(part)
    if taken is not None and (unknown := init_args.keys() - taken.keys()):
        raise CheckpointError(
            f"{where}.init_args holds {', '.join(sorted(map(str, unknown)))}, which {part.__name__} does not "
            f"take; it takes {', '.join(taken)}"
        )
    hints = taken or {}
    return {
        name: _argument(value, hints.get(name), f"{where}.{name}", trust) for name, value in init_args.items()
    }


def arguments_of(part: type) -> dict[str, Any] | None:
    """Type of each argument of a class, those included that it hands on to its base as they come; None if it
    takes any."""
    found: dict[str, Any] = {}
    for owner in part.__mro__:
        if "__init__" not in vars(owner):
            continue
        made_by: Any = inspect.unwrap(vars(owner)["__init__"])
        if owner is object:
            return found
        hints, names = get_type_hints(made_by), inspect.signature(made_by).parameters.values()
        plain = [each for each in names if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        found = {each.name: hints.get(each.name, Any) for each in plain if each.name != "self"} | found
        if not any(each.kind is each.VAR_KEYWORD for each in names):
            return found
        if owner.__mro__[1] is object:
            return None
    return found


def _argument(value: Any, hint: Any, where: str, trust: bool) -> Any:
    """A plain value of the annotated kind; or a part, where the annotation names one base class."""
    if isinstance(value, Mapping) and "class_path" in value:
        bases = part_bases(hint)
        if len(bases) != 1:
            raise CheckpointError(f"{where} takes no part, came {value['class_path']!r:.80}")
        return _build(value, where, bases[0], (), trust)
    if not _fits(value, hint):
        raise CheckpointError(f"{where} should be {_named(hint)}, came {value!r:.80}")
    return value


def part_bases(hint: Any) -> list[type]:
    """Classes of fsa that an annotation names: what a part there has to be of."""
    if isinstance(hint, type):
        return [hint] if hint.__module__.startswith("fsa.") else []
    return [base for part in get_args(hint) if not isinstance(part, list) for base in part_bases(part)]


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON is of an annotated kind; true where the annotation is of another sort."""
    if hint is None or hint is Any:
        return True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if hint is type(None):
        return value is None
    if hint is bool or hint is str:
        return isinstance(value, hint)
    if hint is int:
        return type(value) is int and abs(value) < 2**53
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    if origin is dict or origin is Mapping:
        return isinstance(value, Mapping) and all(_fits(one, arguments[1]) for one in value.values())
    if origin in (list, Sequence, tuple):
        each = [one for one in arguments if one is not Ellipsis]
        is_fixed = origin is tuple and Ellipsis not in arguments
        if not isinstance(value, list | tuple) or (is_fixed and len(value) != len(each)):
            return False
        return all(_fits(one, each[i if is_fixed else 0]) for i, one in enumerate(value))
    return not part_bases(hint)


def _named(hint: Any) -> str:
    return str(hint.__name__ if isinstance(hint, type) else hint).replace("typing.", "")


def class_at(path: Any, where: str) -> Any:
    """What a class path names; imports its module.

    Raises:
        CheckpointError: There is none of this name.
    """
    module, _, name = str(path).rpartition(".")
    try:
        if path.count(".") > _MOST_DOTS:
            raise ValueError("a path that long names no class")
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{where} is {path!s:.200}, which this fsa does not have: {error!s:.200}"
        ) from error
