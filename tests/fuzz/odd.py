"""Odd values, and ways to damage a record, a text and bytes."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

TEXTS = [
    "", " ", "\t\n", "a", "tie", "0", "1", "-1", "null", "true", "NaN", "user", "é", "é", "犬🐕", "\u200b", "\ufeff",
    "a\0b", "\x01", "\x1b[2J", "\u202ea", "\u2028", "\x1e[]", "b\ud800", "\udc00", "../../etc/passwd", "$(id)",
    "%s%n", "{}", "[]", "[1, 2]", '{"a": 1}', "a" * 3000, "\x85", "\u00a0", "ß" * 70, "a\r\nb", '"', "\\", "</s>",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 3, 0.0, -0.0, 0.5, 1.0, 1e-320, 1e308, -1e308, 2**31, 2**53 + 1, 2**63, -(2**63), 10**30, 10**400,
    math.nan, math.inf, -math.inf, 1e22, 32767, 32768, 0.1 + 0.2,
]  # fmt: skip
OTHERS: list[Any] = [None, True, False, [], {}, [[]], [None], [0], [0, 1], [1, 0], [0, 0], [2, 0], ["a"],
    ["a", "b"], ["a", "a"], ["a", 1], [1, 2, 3], [[1, 2], [3, 4]], [[1, 2], [3]], [[1, 2], [1.0, 2.0]],
    {"a": 1}, {"role": "user", "content": "x"}, [{"role": "user", "content": "x"}], [{"role": "user"}],
    [{"role": "king", "content": "x"}], [{"role": "user", "content": 1}],
    [{"role": "user", "content": ""}], [{"role": "user", "content": "x", "name": "n"}],
    [[{"role": "user", "content": "x"}], [{"role": "assistant", "content": "y"}]],
]  # fmt: skip


def odd_value(draw: Random) -> Any:
    """A value that JSON, or something like it, can say."""
    kind = draw.random()
    if kind < 0.3:
        return draw.choice(TEXTS)
    if kind < 0.6:
        return draw.choice(NUMBERS)
    if kind < 0.95:
        return draw.choice(OTHERS)
    deep: Any = draw.choice([1, "a"])
    for _ in range(draw.choice([3, 30, 150])):
        deep = [deep] if draw.random() < 0.5 else {"a": deep}
    return deep


def changed(draw: Random, record: dict[str, Any], names: list[str]) -> tuple[str, str]:
    """Damage one field of a record, in place; what was done, and the field.

    Args:
        names: Fields that it may have.
    """
    how = draw.choice(["odd", "odd", "odd", "odd", "leave out", "add", "inside", "swap"])
    name = draw.choice(sorted(record))
    if how == "leave out":
        del record[name]
    elif how == "add":
        name = draw.choice([*names, "usr", "Options", "", "id", "chosn", "user ", "score"])
        record[name] = odd_value(draw)
    elif how == "swap" and len(record) > 1:
        other = draw.choice([one for one in sorted(record) if one != name])
        record[name], record[other] = record[other], record[name]
    elif how == "inside" and isinstance(record[name], list) and record[name]:
        inside = list(record[name])
        action = draw.choice(["replace", "repeat", "drop", "many"])
        i = draw.randrange(len(inside))
        if action == "replace":
            inside[i] = odd_value(draw)
        elif action == "repeat":
            inside.insert(i, inside[i])
        elif action == "drop":
            del inside[i]
        else:
            inside *= draw.choice([10, 300])
        record[name] = inside
    else:
        how, record[name] = "odd", odd_value(draw)
    return f"{how} {name!r}: {json.dumps(record.get(name))[:60]}", name


def damaged_text(draw: Random, text: str) -> str:
    """One line of JSON with something put in, left out or doubled."""
    pieces = [
        ",", "}", "{", "[", "]", '"', ":", "NaN", "Infinity", "-", "1e999", "0x10", "'", "\\", "\\u12", "\\ud800",
        "//", "/*", "\x00", "\x07", "\r", "\u2028", "\ufeff", " ", "null", "true", "01", "+1", ".5", "\x0b", "\x0c", "\x1c",
    ]  # fmt: skip
    place = draw.randrange(len(text) + 1)
    kind = draw.choice(["in", "in", "out", "cut", "double", "twice", "number", "deep", "more"])
    if kind == "in":
        return text[:place] + draw.choice(pieces) + text[place:]
    if kind == "out":
        return text[:place] + text[place + draw.randrange(1, 4) :]
    if kind == "cut":
        return text[:place]
    if kind == "double":
        return text + draw.choice(["", " ", ","]) + text
    if kind == "twice":  # a name twice
        return text[:1] + draw.choice(['"user": "x", ', '"chosen": 0, ', '"prompt": "p", ']) + text[1:]
    if kind == "number":
        return text.replace("0", draw.choice(["1e999", "-0", "0e0", "1" * 400, "1" * 5000, "0.0"]), 1)
    if kind == "deep":
        depth = draw.choice([50, 900, 5000, 100_000])
        return text[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
    return text[:-1] + ', "prompt": "' + "x" * draw.choice([10, 100_000]) + '"}'


def damaged_bytes(draw: Random, content: bytes) -> tuple[bytes, str]:
    """Bytes flipped, put in, left out, cut, zeroed or repeated."""
    if not content:
        return b"\0", "put in a NUL"
    place = draw.randrange(len(content))
    ways: dict[str, Callable[[], bytes]] = {
        "flip": lambda: content[:place] + bytes([content[place] ^ (1 << draw.randrange(8))]) + content[place + 1 :],
        "byte": lambda: content[:place] + bytes([draw.randrange(256)]) + content[place + 1 :],
        "put in": lambda: content[:place] + draw.randbytes(draw.randrange(1, 9)) + content[place:],
        "leave out": lambda: content[:place] + content[place + draw.randrange(1, 40) :],
        "cut": lambda: content[:place],
        "zero": lambda: content[:place] + bytes(len(content[place : place + 64])) + content[place + 64 :],
        "repeat": lambda: content[:place] + content[place : place + 200] + content[place:],
        "end": lambda: content + draw.randbytes(draw.randrange(1, 20)),
        "tail": lambda: content[: -draw.randrange(1, 12)] if len(content) > 12 else b"",
    }  # fmt: skip
    how = draw.choice(sorted(ways))
    return ways[how](), f"{how} at {place}"
