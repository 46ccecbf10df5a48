"""`Attribute`: a quality of a response that can be low or high, and the sets of them that papers use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from fsa.errors import ConfigError


@dataclass(frozen=True)
class Attribute:
    """What is scored, and what a score means.

    Attributes:
        name: A short name, such as "verbosity".
        definition: What the attribute measures, in a sentence without a full stop.
        high: What a response with the highest score is like.
        low: What a response with the lowest score is like.
    """

    name: str
    definition: str
    high: str
    low: str

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) or not value.strip():
                raise ConfigError(f"attribute {self.name!r}: {field.name} must be a text, came {value!r}")


def attributes_from_yaml(path: str | Path) -> tuple[Attribute, ...]:
    """Attributes of a YAML file: a list of `name`, `definition`, `high` and `low`.

    Raises:
        ConfigError: The file cannot be read, or an entry is no attribute; names the entry and field.
    """
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: attributes cannot be read: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path}: must be a list of one attribute or more, came {entries!r:.80}")
    found = tuple(_attribute(entry, f"{path}: attribute {i}") for i, entry in enumerate(entries, 1))
    check_names([attribute.name for attribute in found], str(path))
    return found


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse a name that comes twice.

    Raises:
        ConfigError: A name comes twice.
    """
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ConfigError(f"{where}: attribute {twice[0]!r} comes twice; every name must come once")


def _attribute(entry: Any, where: str) -> Attribute:
    names = [field.name for field in fields(Attribute)]
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where} must have {', '.join(names)}, came {entry!r:.80}")
    wrong = sorted(set(names) ^ {str(name) for name in entry})
    if wrong:
        raise ConfigError(f"{where} must have {', '.join(names)}; missing or unknown: {', '.join(wrong)}")
    try:
        return Attribute(**{str(name): value for name, value in entry.items()})
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


HELPSTEER2 = (
    Attribute(
        "helpfulness",
        "how far the response does what the prompt asks for",
        "it does what was asked, wholly and to the point, and leaves nothing to be asked again",
        "it misses what was asked, or is of no use to the person who asked",
    ),
    Attribute(
        "correctness",
        "whether what the response says is true and covers what is needed",
        "every statement is right and nothing needed is missing",
        "statements are wrong or made up, or what was needed is missing",
    ),
    Attribute(
        "coherence",
        "how clear and consistent the response is in itself",
        "it is easy to follow, holds together and never contradicts itself",
        "it is confused, contradicts itself, or cannot be followed",
    ),
    Attribute(
        "complexity",
        "how much knowledge and skill with words it takes to write the response",
        "only somebody with deep knowledge of the subject could have written it",
        "anybody with basic command of the language could have written it",
    ),
    Attribute(
        "verbosity",
        "how much detail the response has for what was asked",
        "it is long and full of detail, more than the prompt asks for",
        "it is short and says only the least that answers the prompt",
    ),
)
"""What HelpSteer2's annotators rated from 0 to 4 [Wang2024], here as fractions 0 to 1."""

MORAL_FOUNDATIONS = (
    Attribute(
        "care",
        "whether the response values kindness and keeping others from harm",
        "it protects or comforts someone, or speaks against hurting them",
        "it ignores suffering, or takes it lightly",
    ),
    Attribute(
        "fairness",
        "whether the response values justice, equal treatment and honest dealing",
        "it asks that people get what they are due and that nobody cheats",
        "it pays no heed to justice, or excuses cheating",
    ),
    Attribute(
        "liberty",
        "whether the response values people's freedom to decide for themselves",
        "it defends free choice and resists being ruled by force",
        "it pays no heed to freedom, or excuses coercion",
    ),
    Attribute(
        "loyalty",
        "whether the response values standing by one's family, friends or group",
        "it calls for faithfulness to those one belongs to, even at a price",
        "it pays no heed to such bonds, or excuses betrayal",
    ),
    Attribute(
        "authority",
        "whether the response values order, tradition and respect for rightful leaders",
        "it calls for respect of rules, duties and those in charge",
        "it pays no heed to order, or excuses its being undermined",
    ),
    Attribute(
        "sanctity",
        "whether the response values purity of body and mind and what is held sacred",
        "it treats something as pure or sacred and guards it from being degraded",
        "it pays no heed to purity, or excuses what degrades",
    ),
)
"""The six moral foundations of the Moral Integrity Corpus [Ziems2022]."""
