"""What docs/data.md says that a record is, written a second time and apart from fsa's own parser.

Its reading is plain and slow. Where the page leaves something open it has no opinion.
"""

import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

ROLES = {"system", "user", "assistant", "tool"}
FIELDS = {"user", "prompt", "options", "chosen", "ranking", "rejected", "group", "split"}


class Nonsense(Exception):
    """What no reading of the page allows.

    Args:
        why: In words.
        values: An error has to hold one of these.
    """

    def __init__(self, why: str, *values: Any) -> None:
        super().__init__(why)
        self.why = why
        self.values = [v for value in values for v in (value if isinstance(value, list) else [value])]


class Unsure(Exception):
    """What the page leaves open."""


@dataclass
class Read:
    """A record as it is meant.

    Attributes:
        places: Place of every option, 0 = best.
        kind: "text", or the width of numbers: a file holds one kind.
        is_sure: Whether every part of it is as the page has it.
    """

    user: str
    prompt: Any
    options: tuple[Any, ...]
    places: tuple[int, ...]
    group: str = ""
    split: str = ""
    kind: Any = "text"
    is_sure: bool = True
    notes: list[str] = field(default_factory=list)


def strict_json(text: str) -> Any:
    """JSON as its standard has it."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise Nonsense("a name comes twice")
        return dict(pairs)

    def no_constant(name: str) -> Any:
        raise Nonsense(f"{name} is no JSON", name)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Nonsense(f"it is no JSON: {error}"[:200]) from None


def read_record(raw: Any) -> Read:
    """A record of JSON.

    Raises:
        Nonsense: It is none.
        Unsure: The page does not say.
    """
    if not isinstance(raw, dict):
        raise Nonsense("a record is an object", "record")
    wrong = []
    for name in raw:  # an error may name any field that is wrong, not the first alone
        try:
            _alone(raw, name)
        except Nonsense as one:
            wrong.append(one)
        except Unsure:
            pass
    try:
        return _read(raw)
    except Nonsense as first:
        more = ["chosen", "ranking", "rejected", "options"] if wrong else []
        raise Nonsense(first.why, first.values, *(one.values for one in wrong), more) from None


def _alone(raw: dict[str, Any], name: str) -> None:
    """Read one field by itself."""
    value = raw[name]
    if name == "options":
        _options(value)
    elif name == "prompt":
        _prompt(value)
    elif name in ("user", "group", "split"):
        _text(value, name, may_be_blank=name != "user")
    elif name not in FIELDS:
        raise Nonsense("it is no field", _json(name))
    elif name in ("chosen", "ranking"):
        if name == "ranking" and not isinstance(value, list):
            raise Nonsense("ranking is no list", name)
        if name == "chosen" and "rejected" not in raw and not isinstance(value, int) and value != "tie":
            raise Nonsense("chosen is no option", name)


def _read(raw: dict[str, Any]) -> Read:
    is_trl = "rejected" in raw
    if not is_trl and (unknown := [name for name in raw if name not in FIELDS]):
        raise Nonsense(f"no field is called {unknown[0]!r}", [_json(name) for name in unknown])
    group, split = (_text(raw.get(name, ""), name, may_be_blank=True) for name in ("group", "split"))
    user = _text(_get(raw, "user"), "user")
    if is_trl:
        prompt, options, places, is_sure = _trl(raw)
    else:
        options = _options(_get(raw, "options"))
        numeric = isinstance(options[0], tuple) and isinstance(options[0][0], float)
        prompt = "" if numeric and "prompt" not in raw else _prompt(_get(raw, "prompt"))
        places, is_sure = _places(raw, len(options)), True
    is_number = isinstance(options[0], tuple) and isinstance(options[0][0], float)
    is_sure = is_sure and split in ("", "train", "validation", "test")
    kind = len(options[0]) if is_number else "text"
    return Read(user, prompt, options, places, group, split, kind, is_sure)


def _get(raw: dict[str, Any], name: str) -> Any:
    if name not in raw:
        raise Nonsense(f"{name} is missing", name)
    return raw[name]


def _json(value: Any) -> str:
    try:
        return json.dumps(value)[:40].rstrip('"')
    except (ValueError, RecursionError):
        return ""


def _text(value: Any, name: str, may_be_blank: bool = False) -> str:
    if not isinstance(value, str):
        raise Nonsense(f"{name} is no text", name)
    if re.search("[\ud800-\udfff]", value):
        raise Nonsense(f"{name} holds half a surrogate pair", name)
    if "\0" in value:
        raise Nonsense(f"{name} holds a NUL", name)
    if value.startswith("\x1e"):
        raise Unsure
    if not may_be_blank:
        kinds = {unicodedata.category(letter) for letter in value}
        if kinds <= {"Zs", "Zl", "Zp", "Cf"} or not value.strip():
            raise Nonsense(f"{name} is blank", name)
        if kinds <= {"Zs", "Zl", "Zp", "Cf", "Cc", "Mn"}:
            raise Unsure
    return value


def _chat(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        raise Nonsense(f"{name} is neither a text nor a chat", name)
    for message in value:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise Nonsense(f"{name} holds what is no message", name)
        if not isinstance(message["role"], str) or message["role"] not in ROLES:
            raise Nonsense(f"{name} has a role that there is not", name)
        _text(message["content"], name, may_be_blank=True)
    if all(not message["content"].strip() for message in value):
        raise Nonsense(f"{name} is a chat without content", name)
    if all(not re.search(r"\w", message["content"]) for message in value):
        raise Unsure
    return tuple({"role": m["role"], "content": m["content"]} for m in value)


def _prompt(value: Any) -> Any:
    return (
        _text(value, "prompt", may_be_blank=True) if not isinstance(value, list) else _chat(value, "prompt")
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _option(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return _text(value, name)
    if _number(value):
        value = [value]
    if isinstance(value, list) and value and _number(value[0]):
        for number in value:
            if not _number(number) or number != number or abs(number) > 1.7976931348623157e308:
                raise Nonsense(f"{name} holds {number!r:.30}, no finite number", name)
        return tuple(float(number) + 0.0 for number in value)
    return _chat(value, name)


def _options(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not 2 <= len(value) <= 32_767:
        raise Nonsense("options are no list of two or more", "options")
    options = tuple(_option(one, f"options[{i}]") for i, one in enumerate(value))
    kinds = {
        "text" if isinstance(one, str) else f"{len(one)} numbers" if isinstance(one[0], float) else "chat"
        for one in options
    }
    if len(kinds) > 1:
        raise Nonsense("options are of several kinds", "options")
    normal = [unicodedata.normalize("NFC", one) if isinstance(one, str) else repr(one) for one in options]
    if len(set(normal)) < len(normal):
        raise Nonsense("two options are equal", "options")
    return options


def _places(raw: dict[str, Any], count: int) -> tuple[int, ...]:
    if ("chosen" in raw) == ("ranking" in raw):
        raise Nonsense("there must be chosen or ranking", "chosen", "ranking")
    if "ranking" in raw:
        ranking = raw["ranking"]
        if not isinstance(ranking, list) or not ranking:
            raise Nonsense("ranking is no list", "ranking")
        if any(type(one) is not int or not 0 <= one < count for one in ranking):
            raise Nonsense("ranking names no option", "ranking")
        if len(set(ranking)) < len(ranking):
            raise Nonsense("ranking names an option twice", "ranking")
        return tuple(ranking.index(i) if i in ranking else len(ranking) for i in range(count))
    chosen = raw["chosen"]
    if isinstance(chosen, str) and chosen == "tie":
        return (0,) * count
    if type(chosen) is not int or not 0 <= chosen < count:
        raise Nonsense("chosen is no option", "chosen")
    return tuple(int(i != chosen) for i in range(count))


def _trl(raw: dict[str, Any]) -> tuple[Any, tuple[Any, ...], tuple[int, ...], bool]:
    for name in ("options", "ranking"):
        if name in raw:
            raise Nonsense(f"{name} and rejected belong to two formats", name)
    replies = []
    for name in ("chosen", "rejected"):
        value = _get(raw, name)
        if not isinstance(value, str | list):
            raise Nonsense(f"{name} is no reply", name)
        replies.append(_text(value, name) if isinstance(value, str) else _chat(value, name))
    if isinstance(replies[0], str) != isinstance(replies[1], str):
        raise Nonsense("the replies are of two kinds", "rejected", "chosen")
    if replies[0] == replies[1]:
        raise Nonsense("the replies are equal", "rejected", "chosen")
    if "prompt" in raw:
        _prompt(raw["prompt"])
    if "prompt" not in raw or not isinstance(replies[0], str):
        raise Unsure  # where a prompt ends inside the replies is a rule of its own
    same = unicodedata.normalize("NFC", replies[0]) == unicodedata.normalize("NFC", replies[1])
    return _prompt(raw["prompt"]), tuple(replies), (0, 1), not same


def is_finite(value: Any) -> bool:
    """Whether all numbers in a nest of lists are finite."""
    if isinstance(value, list | tuple):
        return all(map(is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
