"""`@settings`: classes of numbers and names whose fields say what they mean and may be, where they stand.

    @settings
    class Pace:
        '''How fast.'''

        steps: int = setting(default=10, doc="Steps of the whole run; larger takes longer.", at_least=1)

One line gives the default, the sentence of `--help` and the docs, and the check: an object that exists has
values that make sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

from fsa.errors import ConfigError

_Class = TypeVar("_Class")
_RANGE = "fsa.range"
_DOC = "fsa.doc"
_LARGEST = 1.7976931348623157e308  # NaN is not between, and no whole number is too long to be compared


@dataclass(frozen=True)
class Range:
    """What a number may be.

    Attributes:
        at_least: Smallest value.
        above: A value that is too small by a hair.
        at_most: Largest value.
        below: A value that is too large by a hair.
        one_of: All that there is.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    one_of: tuple[Any, ...] | None = None

    def __str__(self) -> str:
        if self.one_of is not None:
            return "one of " + ", ".join(map(str, self.one_of))
        signs = {">=": self.at_least, ">": self.above, "<=": self.at_most, "<": self.below}
        return " and ".join(f"{sign} {limit:g}" for sign, limit in signs.items() if limit is not None)

    def check(self, name: str, value: Any) -> None:
        """Refuse a value, or one in a sequence or mapping, that is none of these.

        Raises:
            ConfigError: Names the value, what it may be, and what came.
        """
        if isinstance(value, dict):
            for key, each in value.items():
                self.check(f"{name}[{key}]", each)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for i, each in enumerate(value):
                self.check(f"{name}[{i}]", each)
        elif value is not None and not self._holds(value):
            raise ConfigError(f"{name} is {value!r}; it must be {self or 'a finite number'}")

    def _holds(self, value: Any) -> bool:
        if self.one_of is not None:
            return value in self.one_of
        if isinstance(value, bool | str):
            return True  # of another kind; the annotation says whether it may be
        return (
            -_LARGEST <= value <= _LARGEST
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )


def setting(
    *,
    default: Any,
    doc: str,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    one_of: Sequence[Any] | None = None,
    not_empty: bool = False,
) -> Any:
    """A field of settings.

    Args:
        default: Its value where none is given; a list or mapping is copied for each object.
        doc: What it means, its unit, and what larger does.
        at_least, above, at_most, below, one_of: What it, or each value in it, may be; see `Range`.
        not_empty: A sequence holds one value or more.
    """
    allowed = Range(at_least, above, at_most, below, None if one_of is None else tuple(one_of))
    metadata = {_DOC: doc, _RANGE: allowed, "not_empty": not_empty}
    if isinstance(default, list | dict):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass_transform(field_specifiers=(setting,))
def settings(cls: type[_Class]) -> type[_Class]:
    """Make a class settings: a dataclass, checked when made, with its fields' sentences in its docs.

    A method `check`, where there is one, is called last: for what fields may be together.
    """

    def __post_init__(self: Any) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, list):
                setattr(self, each.name, value := tuple(value))
            check_field(each, value)
        if callable(check := getattr(self, "check", None)):
            check()

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    made = dataclass(cls)
    lines = [f"    {each.name}: {sentence(each)}" for each in fields(made)]  # type: ignore[arg-type]
    made.__doc__ = f"{(cls.__doc__ or '').strip()}\n\nArgs:\n" + "\n".join(lines) + "\n"
    return made


def check_field(each: Field[Any], value: Any) -> None:
    """Refuse a value that its field's range does not allow.

    Raises:
        ConfigError: See `Range.check`.
    """
    if _RANGE not in each.metadata:
        return
    each.metadata[_RANGE].check(each.name, value)
    if each.metadata["not_empty"] and not len(value):
        raise ConfigError(f"{each.name} is empty; it must hold one value or more")


def sentence(each: Field[Any]) -> str:
    """What a field means and may be, in a line."""
    doc, allowed = each.metadata.get(_DOC, ""), each.metadata.get(_RANGE, "")
    return f"{doc} ({allowed})" if str(allowed) else doc
