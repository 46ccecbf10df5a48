"""The gate of command lines and configuration files: whose code a configuration may name."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from fsa.recipes.configured import options
from fsa.runs.components import arguments_of, class_at, refuse_foreign
from fsa.runs.safe_yaml import parse_yaml, read_mapping

TRUST = "trust_remote_code"
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def check_command_line(arguments: Sequence[str], hints: Mapping[str, Any], takes_trust: bool) -> list[str]:
    """Refuse a command line that would import code which is not fsa's own, before anything is imported.

    Args:
        arguments: The command line, with names as the recipe spells them.
        hints: Types of the recipe's parameters by name; those that are parts may name classes.
        takes_trust: Whether the recipe has a `trust_remote_code` of its own.

    Returns:
        The command line, without `--trust_remote_code` where the recipe does not take it.

    Raises:
        CheckpointError: A `--config` file or an option names a foreign class.
        ConfigError: A file cannot be read.
    """
    pairs = options(arguments)
    trusted = [value.lower() for name, value, _ in pairs if name == TRUST]
    if not trusted or trusted[-1] not in ("", "true", "yes"):
        parts = {name for name, hint in hints.items() if _base_of(hint)}
        for name, value, _ in pairs:
            if name == "config":
                check_config(read_mapping(Path(value)), hints, value)
            elif name.endswith("class_path") or name.split(".")[0] in parts:
                _check_value(name, value)
    if takes_trust:
        return list(arguments)
    return [argument for name, _, whole in pairs for argument in whole if name != TRUST]


def check_config(config: Mapping[str, Any], hints: Mapping[str, Any], where: str) -> None:
    """Refuse a configuration that names a class which is not fsa's own, in any of the forms it may have.

    Args:
        config: What a file says.
        hints: Type of each name in it.
        where: The file, to begin an error with.

    Raises:
        CheckpointError: There is such a class; nothing of it was imported.
    """
    refuse_foreign(config, where)
    for name, value in config.items():
        _check_part(value, hints.get(name), f"{where}.{name}")


def _check_part(value: Any, hint: Any, where: str) -> None:
    classes = list(_classes(hint))
    bases = [one for one in classes if one.__module__.startswith("fsa.")]
    if isinstance(value, list):
        for i, each in enumerate(value):
            _check_part(each, hint, f"{where}[{i}]")
    elif bases and str not in classes and _is_foreign(value):
        refuse_foreign({"class_path": value}, where)
    elif bases and isinstance(value, Mapping):
        part = class_at(value["class_path"], where) if "class_path" in value else bases[0]
        arguments = value.get("init_args", {} if "class_path" in value else value)
        if isinstance(arguments, Mapping) and isinstance(part, type):
            check_config(arguments, arguments_of(part) or {}, where)


def import_families(hints: Mapping[str, Any]) -> None:
    """Import every member of the families that a recipe takes parts of, so that its help can name them."""
    for base in filter(None, map(_base_of, hints.values())):
        package = importlib.import_module(base.__module__.rpartition(".")[0])
        for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
            importlib.import_module(f"{package.__name__}.{module.name}")


def _base_of(hint: Any) -> type | None:
    """Base class of a parameter that is a part of fsa; None for all others."""
    return next((one for one in _classes(hint) if one.__module__.startswith("fsa.")), None)


def _check_value(name: str, value: str) -> None:
    """An option's value: a class path, or the plain form of a part."""
    if value.lstrip().startswith("{"):
        refuse_foreign(parse_yaml(value, f"--{name}"), f"--{name}")
        return
    looks_like_class = "." not in name or value.rpartition(".")[2][:1].isupper()
    if (name.endswith("class_path") or looks_like_class) and _is_foreign(value):
        refuse_foreign({"class_path": value}, f"--{name}")


def _is_foreign(value: Any) -> bool:
    """Whether a text is the path of a class or function that is not fsa's own."""
    return isinstance(value, str) and bool(_DOTTED.fullmatch(value)) and not value.startswith("fsa.")


def _classes(hint: Any) -> Iterator[type]:
    if isinstance(hint, type):
        yield hint
    for part in get_args(hint):
        if not isinstance(part, list):
            yield from _classes(part)
