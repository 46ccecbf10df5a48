"""`NamedOptions`: fields that hold responses, and what an annotator's answer says of them by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fsa.choices.reading.record import refuse, shown
from fsa.errors import ChoiceDataError
from fsa.types import is_number

PROMPTS = ("prompt", "instruction", "question", "query", "input", "context")
"""Names of the field that holds the prompt, by default."""

_TIES = frozenset({"tie", "same", "equal", "both", "bothgood", "nopreference", "equallygood", "similar"})
_NEITHER = frozenset({"neither", "bothbad", "none", "noneofthem", "bad", "allbad", "unsure", "skip"})
_PAIRS = (("1", "2"), ("a", "b"), ("left", "right"))


class NamedOptions:
    """Some fields, in their order, each a response to one prompt.

    Args:
        fields: Text or chat of each, by name.
        values: Which field an answer means that does not name it, such as {A: response_1}.
    """

    def __init__(self, fields: Mapping[str, Any], values: Mapping[str, str] | None = None) -> None:
        self.fields = dict(fields)
        self._by_name = {_plain(name): i for i, name in enumerate(self.fields)}
        self._values = dict(values or {})

    @property
    def responses(self) -> list[Any]:
        """What the fields hold."""
        return list(self.fields.values())

    def find(self, value: Any) -> int | None:
        """Number of the field that a value names, in any spelling; None if it names none."""
        named = self._values.get(str(value), value)
        return self._by_name.get(_plain(named)) if isinstance(named, str) else None

    def number(self, value: Any, where: str, field: str) -> int:
        """Number of the field that a value names.

        Raises:
            ChoiceDataError: It names none.
        """
        found = self.find(value)
        if found is None:
            allowed = f"one of {', '.join(self.fields)} (or map it: --values '{{ANSWER: FIELD}}')"
            refuse(where, field, allowed, value)
        return found

    def outcome(self, value: Any, where: str, field: str) -> dict[str, Any] | None:
        """What a label says: a pick or a tie as fields of a record; None for a word that says "neither".

        Raises:
            ChoiceDataError: It names no field, and is no word for a tie or for neither.
        """
        if self.find(value) is None and isinstance(value, str):
            if _plain(value) in _TIES:
                return {"chosen": "tie"}
            if _plain(value) in _NEITHER:
                return None
        return {"chosen": self.number(value, where, field)}

    def understands(self, value: Any) -> bool:
        """Whether a value is a label or a ranking of these fields."""
        if isinstance(value, Sequence) and not isinstance(value, str):
            return bool(value) and all(self.find(_named(one)) is not None for one in value)
        return self.find(value) is not None or (
            isinstance(value, str) and _plain(value) in (_TIES | _NEITHER)
        )

    def ranking(self, value: Sequence[Any], where: str, field: str) -> dict[str, Any]:
        """What a ranking says, best first: names, or names with a rank from 1, where equal ranks tie.

        It ends before the first rank that is shared; all of one rank are a tie.

        Raises:
            ChoiceDataError: Something in it names no field, or has no rank.
        """
        ranks = [_rank(one, i, where, f"{field}[{i}]") for i, one in enumerate(value)]
        numbers = [self.number(_named(one), where, f"{field}[{i}]") for i, one in enumerate(value)]
        return order_of(dict(zip(numbers, (-rank for rank in ranks), strict=True)), len(self.fields))


def order_of(scores: Mapping[int, float], num_options: int) -> dict[str, Any]:
    """What scores of options say, larger being better, as fields of a record.

    A tie where all options have one score; else a ranking, best first, that ends before the first score that
    is shared. Nothing at all where the best is shared by some.
    """
    if len(scores) == num_options and len(set(scores.values())) == 1:
        return {"chosen": "tie"}
    order = sorted(scores, key=lambda option: -scores[option])
    kept = []
    for option in order:
        if list(scores.values()).count(scores[option]) > 1:
            break
        kept.append(option)
    return {"ranking": kept} if kept else {}


def prompt_in(fields: Mapping[str, Any], named: str | None, where: str) -> str:
    """Name of the field that holds the prompt.

    Raises:
        ChoiceDataError: There is none of the name, or none of those usually taken.
    """
    for name in (named,) if named else PROMPTS:
        if name in fields:
            return str(name)
    has = shown(", ".join(map(str, fields)))
    allowed = f"{named!r}" if named else f"one of {', '.join(PROMPTS)} (or name another: --prompt FIELD)"
    raise ChoiceDataError(f"{where}: prompt must be the field {allowed}, came {has}")


def pair_in(fields: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Names of two fields alike but for their ends, such as answer1 and answer2.

    Raises:
        ChoiceDataError: There are none, or several such pairs.
    """
    found = []
    for name in fields:
        for first, second in _PAIRS:
            other = name[: len(name) - len(first)] + second
            if name.lower().endswith(first) and other in fields:
                found.append((name, other))
    if len(found) != 1:
        has = shown(", ".join(map(str, fields)))
        raise ChoiceDataError(
            f"{where}: options must be two fields such as answer1 and answer2 (or name them: "
            f"--options '[FIELD, FIELD]'), came {has}"
        )
    return found[0]


def _named(value: Any) -> Any:
    return value.get("value") if isinstance(value, Mapping) else value


def _rank(value: Any, position: int, where: str, field: str) -> float:
    if not isinstance(value, Mapping):
        return position
    rank = value.get("rank")
    if not is_number(rank):
        refuse(where, f"{field}.rank", "a number", rank)
    return rank


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
