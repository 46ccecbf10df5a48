"""What most records are, told at once: picks among plain texts, which need no closer look."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from fsa.choices.table_builder import UsualPick

_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cf"})  # kinds of characters that leave no ink

FIELDS = frozenset({"user", "prompt", "options", "chosen", "ranking", "rejected", "group", "split"})
"""Of a record; see `parse_record`."""
MAX_OPTIONS = 32_767  # places are 16-bit


def usual_pick(raw: Any, plain: set[str]) -> UsualPick | None:
    """A pick among plain texts, as `parse_record` gives it.

    None for any other record, bad ones among them: `parse_record` says what that is.

    Args:
        raw: What the JSON of one record says.
        plain: Texts found good before, which are not looked at again; grows.
    """
    if type(raw) is not dict:
        return None
    user, prompt, options, chosen = map(raw.get, _USUAL)
    group = split = ""
    if len(raw) != len(_USUAL) or options is None:
        group, split = raw.get("group", ""), raw.get("split", "")
        if "rejected" in raw:
            options, chosen, is_known = [chosen, raw["rejected"]], 0, options is None
        else:
            is_known = raw.keys() <= FIELDS
        if (
            not is_known
            or "ranking" in raw
            or not all(each == "" or is_plain(each) for each in (group, split))
        ):
            return None
    is_usual = (
        type(options) is list
        and type(chosen) is int
        and 0 <= chosen < len(options)
        and 2 <= len(options) <= MAX_OPTIONS
        and _are_known_plain((user, prompt, *options), plain)
        and are_different(options)
    )
    return (user, prompt, options, chosen, group, split) if is_usual else None  # type: ignore[return-value]


def usual_picks(block: Iterable[tuple[str, Any]], plain: set[str]) -> list[UsualPick]:
    """`usual_pick` of records, each behind its place; none where one of them is another record."""
    picks: list[UsualPick] = []
    for _, raw in block:
        pick = usual_pick(raw, plain)
        if pick is None:
            return []
        picks.append(pick)
    return picks


_USUAL = ("user", "prompt", "options", "chosen")


def is_plain(value: Any) -> bool:
    """Whether a value is a text that `_text` takes, for sure."""
    return (
        type(value) is str
        and value > "!"  # neither empty nor of control characters
        and "\0" not in value
        and (value.isascii() or (has_ink(value) and _is_unicode(value)))
    )


def are_different(texts: Sequence[str]) -> bool:
    """Whether no two texts look the same; canonically equal ones do, however their accents are encoded."""
    if len(texts) == 2 and texts[0].isascii() and texts[1].isascii():
        return texts[0] != texts[1]
    if not all(map(str.isascii, texts)):
        texts = [unicodedata.normalize("NFC", text) for text in texts]
    return len(set(texts)) == len(texts)


def are_usual(texts_of_each: Iterable[Sequence[Any]]) -> bool:
    """Whether each is a prompt and options that are plain texts, no option there twice; for sure."""
    return all(are_plain(texts) and are_different(texts[1:]) for texts in texts_of_each)


def are_plain(values: Iterable[Any]) -> bool:
    """Whether values are texts that a record may have anywhere, for sure."""
    return all(map(is_plain, values))


def _are_known_plain(values: tuple[Any, ...], plain: set[str]) -> bool:
    """The same of values that `plain` then holds."""
    try:
        if plain.issuperset(values):
            return True
    except TypeError:  # no text, but something without a hash
        return False
    if not are_plain(values):
        return False
    plain.update(values)
    return True


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def has_ink(text: str) -> bool:
    """Whether something in a text can be seen: neither a space nor of no width."""
    seen = text.strip()
    return bool(seen) and (text.isascii() or any(unicodedata.category(c) not in _UNSEEN for c in seen))
