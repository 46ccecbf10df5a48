"""YAML from anywhere: plain values only, and no more of them than a configuration has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from fsa.errors import ConfigError

_MOST_VALUES, _DEEPEST, _MOST_BYTES = 100_000, 60, 4 << 20


def parse_yaml(text: str, where: str) -> Any:
    """What a YAML text says.

    Raises:
        ConfigError: It is no YAML, nested too deeply, or its aliases stand for more than a configuration
            holds.
    """
    if len(text) > _MOST_BYTES:
        raise ConfigError(f"{where}: cannot be read: more than {_MOST_BYTES:,} characters")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _size(node, where, 0, {})
        return yaml.safe_load(text)
    except RecursionError:
        raise ConfigError(f"{where}: cannot be read: nested too deeply") from None
    except (TypeError, ValueError, yaml.YAMLError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{where}: cannot be read: {error}") from error


def read_mapping(path: Path) -> dict[str, Any]:
    """What a YAML file says, where that is a mapping of names.

    Raises:
        ConfigError: There is no such file, or it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name with a NUL
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    content = parse_yaml(text, str(path))
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise ConfigError(f"{path}: cannot be read: should hold names and their values, came {content!r:.80}")
    return content


def _size(node: yaml.Node | None, where: str, depth: int, known: dict[int, int]) -> int:
    """Values that a node stands for, each alias counted as what it repeats."""
    if node is None:
        return 0
    if depth > _DEEPEST:
        raise ConfigError(f"{where}: cannot be read: nested more than {_DEEPEST} deep")
    if id(node) not in known:
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            parts = node.value
        known[id(node)] = 1 + sum(_size(part, where, depth + 1, known) for part in parts)
    if known[id(node)] > _MOST_VALUES:
        raise ConfigError(f"{where}: cannot be read: it stands for more than {_MOST_VALUES:,} values")
    return known[id(node)]
