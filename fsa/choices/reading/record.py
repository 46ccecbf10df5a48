"""The record format, and the one validator of records that come from outside."""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Mapping
from typing import Any, NoReturn

from fsa.choices.reading.plain import FIELDS as FIELDS
from fsa.choices.reading.plain import MAX_OPTIONS, are_different, has_ink, is_plain
from fsa.choices.reading.trl import explicit_prompt
from fsa.choices.stored_text import CHAT_MARK
from fsa.errors import ChoiceDataError
from fsa.types import (
    Choice,
    Messages,
    Numbers,
    Outcome,
    Pick,
    Ranking,
    Text,
    Tie,
    is_finite_number,
    is_number,
    is_numbers,
    outcome_of,
)

ROLES = ("system", "user", "assistant", "tool")


def parse_record(raw: Any, where: str) -> Choice:
    """One choice from one record, in either of two formats.

    Ours: `{"user", "prompt", "options", and one of "chosen": i | "chosen": "tie" | "ranking": [best first]}`.
    Options are texts, chats (lists of `{"role", "content"}`), or lists of numbers of one length, a bare
    number being a list of one; with numbers the prompt may be left out. "tie" ties all options; a ranking may
    name only the best few. TRL's: `{"user", "prompt", "chosen", "rejected"}` of texts or chats; the prompt
    may be left out where both replies begin with it, see `explicit_prompt`. Both take "group" and "split".
    Any other field is refused beside options, where it may be one misspelt, and ignored beside TRL's, which
    often come with scores and ids.

    Args:
        raw: What the JSON of one record says.
        where: File and line, to begin an error with.

    Raises:
        ChoiceDataError: Names where, the field, what is allowed and what came.
    """
    if not isinstance(raw, Mapping):
        refuse(where, "record", 'an object such as {"user": ..., "prompt": ..., ...}', raw)
    if "rejected" not in raw and not raw.keys() <= FIELDS:
        _refuse_unknown(raw, where)
    user = _text(_needed(raw, "user", where), where, "user")
    options: tuple[Text, ...] | tuple[Numbers, ...]
    if "rejected" in raw:
        prompt, options = _trl(raw, where)
        outcome: Outcome = Pick(0)
    else:
        options = parse_options(_needed(raw, "options", where), where)
        is_numeric = _kind(options[0]) not in ("a text", "a chat")
        prompt = (
            "" if is_numeric and "prompt" not in raw else parse_prompt(_needed(raw, "prompt", where), where)
        )
        outcome = _outcome(raw, len(options), where)
    group = _text(raw["group"], where, "group", may_be_blank=True) if "group" in raw else ""
    split = _text(raw["split"], where, "split", may_be_blank=True) if "split" in raw else ""
    return Choice(user, prompt, options, outcome, group, split)


def refuse(where: str, field: str, allowed: str, came: Any) -> NoReturn:
    """Raise the one error of this format."""
    raise ChoiceDataError(f"{where}: {field} must be {allowed}, came {shown(came)}")


def shown(value: Any) -> str:
    """A value as JSON in at most 80 characters."""
    brief = value[:100] if isinstance(value, str | list) else value
    text = json.dumps(brief, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."


def _needed(raw: Mapping[str, Any], field: str, where: str) -> Any:
    if field not in raw:
        hint = ' (or give "chosen" and "rejected" replies)' if field == "options" else ""
        has = ", ".join(map(str, raw)) or "nothing"
        raise ChoiceDataError(f"{where}: {field} is missing{hint}; the record has {shown(has)}")
    return raw[field]


def _refuse_unknown(raw: Mapping[str, Any], where: str) -> NoReturn:
    name = next(key for key in raw if key not in FIELDS)
    close = difflib.get_close_matches(str(name), FIELDS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; allowed are {', '.join(sorted(FIELDS))}"
    raise ChoiceDataError(f"{where}: unknown field {shown(name)}{hint}")


def _text(value: Any, where: str, field: str, *, may_be_blank: bool = False) -> str:
    if is_plain(value):
        return value
    if not isinstance(value, str):
        hint = " (put it in quotes)" if is_number(value) else ""
        refuse(where, field, f"a text{hint}", value)
    if not may_be_blank and not has_ink(value):
        refuse(where, field, "a text that is not blank", value)
    if "\0" in value:
        refuse(where, field, "a text without NUL characters", value)
    if value.startswith(CHAT_MARK):
        refuse(where, field, "a text that does not begin with the control character U+001E", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        refuse(
            where,
            field,
            f"Unicode text; character {error.start} is half a surrogate pair",
            value[error.start :],
        )
    return value


def parse_text(value: Any, where: str, field: str) -> str:
    """A text that may be blank, as a record has it; see `parse_record`."""
    return _text(value, where, field, may_be_blank=True)


def _messages(value: Any, where: str, field: str) -> Messages:
    if not value:
        refuse(where, field, "a text, or a list of at least one message", value)
    messages = tuple(_message(message, where, f"{field}[{i}]") for i, message in enumerate(value))
    if all(not message["content"].strip() for message in messages):
        refuse(where, field, "a chat with some content", value)
    return messages


def _message(value: Any, where: str, field: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or set(value) != {"role", "content"}:
        refuse(where, field, 'a message, {"role": ..., "content": text} and nothing else', value)
    if value["role"] not in ROLES:
        refuse(where, f"{field}.role", "one of " + ", ".join(ROLES), value["role"])
    # One order of keys, so that equal chats are stored as equal text.
    content = _text(value["content"], where, f"{field}.content", may_be_blank=True)
    return {"role": value["role"], "content": content}


def parse_prompt(value: Any, where: str) -> Text:
    """A prompt, "" among them, as a record has it; see `parse_record`."""
    if isinstance(value, list):
        return _messages(value, where, "prompt")
    return _text(value, where, "prompt", may_be_blank=True)


def parse_options(value: Any, where: str) -> tuple[Text, ...] | tuple[Numbers, ...]:
    """The options of a record: two or more, of one kind, none twice; see `parse_record`."""
    if not isinstance(value, list) or not 2 <= len(value) <= MAX_OPTIONS:
        refuse(where, "options", f"a list of 2 to {MAX_OPTIONS:,} responses", value)
    if all(map(is_plain, value)) and are_different(value):
        return tuple(value)  # the usual case, at once
    options = tuple(parse_response(option, where, f"options[{i}]") for i, option in enumerate(value))
    kinds = [_kind(option) for option in options]
    for i, kind in enumerate(kinds):
        if kind != kinds[0]:
            allowed = f"of one kind; options[0] is {kinds[0]}, options[{i}] is {kind}"
            refuse(where, "options", allowed, value[i])
    _refuse_duplicates(options, where)
    return options


def parse_response(value: Any, where: str, field: str) -> Any:
    """One option as a record has it: a text, a chat, or numbers; see `parse_record`."""
    if isinstance(value, str):
        return _text(value, where, field)
    if is_number(value):
        value = [value]
    if isinstance(value, list) and value and is_number(value[0]):
        return tuple(_number(number, where, f"{field}[{i}]") for i, number in enumerate(value))
    if isinstance(value, list):
        return _messages(value, where, field)
    refuse(where, field, "a text, a list of messages, or a list of numbers", value)


def _kind(option: Any) -> str:
    if isinstance(option, str):
        return "a text"
    return f"a list of {len(option)} numbers" if is_numbers(option) else "a chat"


def _number(value: Any, where: str, field: str) -> float:
    if not is_finite_number(value):
        refuse(where, field, "a finite number", value)
    return float(value) + 0.0  # -0.0 is 0.0


def _refuse_duplicates(options: tuple[Any, ...], where: str) -> None:
    first: dict[Any, int] = {}
    for i, option in enumerate(options):
        # Canonically equal texts look the same, however their accents are encoded.
        key = str(option) if isinstance(option, tuple) else unicodedata.normalize("NFC", option)
        earlier = first.setdefault(key, i)
        if earlier != i:
            allowed = f"different from each other; options {earlier} and {i} are equal"
            refuse(where, "options", allowed, option)


def _outcome(raw: Mapping[str, Any], num_options: int, where: str) -> Outcome:
    if ("chosen" in raw) == ("ranking" in raw):
        said = "both" if "chosen" in raw else "neither"
        raise ChoiceDataError(f"{where}: chosen or ranking must be given, exactly one of them, came {said}")
    if "ranking" in raw:
        return _ranking(raw["ranking"], num_options, where)
    chosen = raw["chosen"]
    if chosen == "tie":
        return Tie(tuple(range(num_options)))
    if type(chosen) is not int or not 0 <= chosen < num_options:
        allowed = f'the number of one of the {num_options} options (0 to {num_options - 1}), or "tie"'
        refuse(where, "chosen", allowed, chosen)
    return Pick(chosen)


def _ranking(value: Any, num_options: int, where: str) -> Outcome:
    allowed = f"a list of option numbers (0 to {num_options - 1}), best first, none twice"
    if not isinstance(value, list) or not value:
        refuse(where, "ranking", allowed, value)
    for i, option in enumerate(value):
        if type(option) is not int or not 0 <= option < num_options:
            refuse(where, f"ranking[{i}]", f"an option number from 0 to {num_options - 1}", option)
    if len(set(value)) < len(value):
        refuse(where, "ranking", allowed, value)
    # A ranking of a pair is a pick, and is called one.
    return outcome_of(Ranking(tuple(value)).places(num_options))


def _trl(raw: Mapping[str, Any], where: str) -> tuple[Text, tuple[Text, ...]]:
    for other in ("options", "ranking"):
        if other in raw:
            raise ChoiceDataError(f"{where}: {other} and rejected belong to two formats; give one of them")
    chosen = _reply(_needed(raw, "chosen", where), where, "chosen")
    rejected = _reply(raw["rejected"], where, "rejected")
    if isinstance(chosen, str) != isinstance(rejected, str):
        refuse(where, "rejected", f"{_kind(chosen)} as chosen is", raw["rejected"])
    if chosen == rejected:
        refuse(where, "rejected", "different from chosen", raw["rejected"])
    prompt = parse_prompt(raw["prompt"], where) if "prompt" in raw else None
    try:
        return explicit_prompt(prompt, chosen, rejected)
    except ChoiceDataError as error:
        raise ChoiceDataError(f"{where}: {error}") from None


def _reply(value: Any, where: str, field: str) -> Text:
    if isinstance(value, str):
        return _text(value, where, field)
    if isinstance(value, list):
        return _messages(value, where, field)
    refuse(where, field, "a text or a list of messages, beside rejected", value)
