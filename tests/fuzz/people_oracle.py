"""What people may hand in beside their choices, by the pages and apart from fsa's own readers."""

import math
import struct
from pathlib import Path
from typing import Any

from tests.fuzz.records import ROLES, Nonsense, Unsure
from tests.fuzz.tensors import read_tensors
from tests.fuzz.trying import Opinion


def of_lines(lines: list[tuple[str, Any]], path: str, check: Any) -> Opinion:
    """What all lines together are."""
    is_open, count, late = False, 0, ""
    bad: list[tuple[str, Nonsense]] = []
    for place, raw in lines:
        try:
            if isinstance(raw, Nonsense | Unsure):
                raise raw
            check(raw)
            count += 1
        except Unsure:
            is_open = True
        except _Late as wrong:  # the model says so, not the reader: after all lines are read
            late = wrong.args[0]
        except Nonsense as wrong:
            bad.append((place, wrong))
    if bad:
        # Lines are read as JSON first, all of them, and then looked at: any may be the one that is named.
        places = [] if is_open else [place for place, _ in bad]
        is_named = not is_open and not late and all(wrong.values for _, wrong in bad)
        values = [value for _, wrong in bad for value in wrong.values] if is_named else []
        return Opinion("nonsense", f"{bad[0][0]} {bad[0][1].why}", places, values)
    if late:
        return Opinion("nonsense", late)
    if is_open:
        return Opinion("unsure")
    return Opinion("sound") if count else Opinion("nonsense", "there is no line", [path])


class _Late(Exception):
    """What is wrong for the model alone."""


def _check_fields(raw: Any) -> None:
    if not isinstance(raw, dict):
        raise Nonsense("it is no object")
    _check_echo(raw, 0)
    if "prompt" in raw:
        _check_text(raw["prompt"], "prompt")
    if not isinstance(raw.get("user", ""), str):
        raise Nonsense("user is no text", "user")


def asked(raw: Any) -> None:
    _check_fields(raw)
    for name in ("prompt", "user"):
        if name not in raw:
            raise Nonsense(f"{name} is missing", name)


def candidate(raw: Any) -> None:
    _check_fields(raw)
    for name in ("response", "user"):
        if name not in raw:
            raise Nonsense(f"{name} is missing", name)
    response = raw["response"]
    if isinstance(response, list) and response and is_number(response[0]):
        if not all(is_number(one) and abs(one) < 1e309 and one == one for one in response):
            raise Nonsense("response holds what is no number", "response")
        if len(response) != 2:
            raise _Late("this model reads two numbers")
    elif isinstance(response, int | float) and not isinstance(response, bool):
        raise _Late("this model reads two numbers")
    else:
        _check_text(response, "response")
        raise _Late("this model reads no text")


def _check_text(value: Any, name: str) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise Nonsense(f"{name} holds a NUL", name)
        if value.startswith("\x1e"):
            raise Unsure
        return
    if not isinstance(value, list) or not value:
        raise Nonsense(f"{name} is neither text nor chat", name)
    for message in value:
        is_message = isinstance(message, dict) and set(message) == {"role", "content"}
        if not is_message or message["role"] not in tuple(ROLES) or not isinstance(message["content"], str):
            raise Nonsense(f"{name} holds what is no message", name)
    if not any(message["content"].strip() for message in value):
        raise Nonsense(f"{name} is a chat without content", name)
    raise Unsure


def _check_echo(value: Any, depth: int) -> None:
    """Refuse what no JSON line could say again."""
    if depth > 90:
        raise Nonsense("it is nested deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise Nonsense("a number is beyond all numbers")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Nonsense("it holds half a surrogate pair")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_echo(name, depth + 1)
            _check_echo(part, depth + 1)
    if isinstance(value, list):
        for part in value:
            _check_echo(part, depth + 1)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def of_target(raw: Any, path: str) -> Opinion:
    def nonsense(why: str, *values: str) -> Opinion:
        return Opinion("nonsense", why, [path], values)

    if not isinstance(raw, dict):
        return nonsense("it is no object")
    whole = raw if "levels" in raw else {"levels": raw}
    levels, weights, at_least = whole["levels"], whole.get("weights"), whole.get("at_least", [])
    if unknown := set(whole) - {"levels", "weights", "at_least"}:
        return nonsense(f"it has {unknown}")
    if not isinstance(levels, dict) or not levels:
        return nonsense("it has no levels")
    if bad := [name for name, level in levels.items() if not is_number(level) or not 0 <= level <= 1]:
        return nonsense("a level is none", *bad)
    if weights is not None and not isinstance(weights, dict):
        return nonsense("weights are no object")
    weighed = weights or {}
    if bad := [
        n for n, w in weighed.items() if not is_number(w) or not 0 < w <= 1.797e308 or n not in levels
    ]:
        return nonsense("a weight is none", *bad)
    if not isinstance(at_least, list) or not all(isinstance(n, str) and n in levels for n in at_least):
        return Opinion("unsure") if at_least in (None, {}) else nonsense("at_least names what has no level")
    return Opinion("sound")


def of_damage(content: bytes, before: bytes, path: Path) -> Opinion:
    """Of a file with a checksum: anything else than what was written is refused."""
    try:
        found, about = read_tensors(content)
    except Nonsense as wrong:
        return Opinion("nonsense", wrong.why, [str(path)])
    wanted, of_it = read_tensors(before)

    def plain(tensors: Any, raw: bytes) -> Any:
        size = struct.unpack("<Q", raw[:8])[0]
        return {name: (one[0], one[1], one[3] - 8 - size) for name, one in tensors.items()}, raw[8 + size :]

    if (plain(found, content), about) == (plain(wanted, before), of_it):
        return Opinion("unsure")
    return Opinion("nonsense", "it is not what was written", [str(path)])
