"""Parts that requests and answers of several routes share, as pydantic reads and OpenAPI describes them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from fsa.choices.reading.record import parse_prompt
from fsa.outputs.api_inputs import as_choice, as_response
from fsa.serve.people import Asked
from fsa.serve.problems import Unprocessable

_MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"type": "string", "enum": ["system", "user", "assistant", "tool"]},
        "content": {"type": "string"},
    },
    "required": ["role", "content"],
    "additionalProperties": False,
}
_CHAT = {"type": "array", "items": _MESSAGE, "minItems": 1}
_TEXT = {"anyOf": [{"type": "string"}, _CHAT]}
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 1}
_RESPONSE = {"anyOf": [{"type": "string"}, _CHAT, _NUMBERS]}
_RECORD = {
    "type": "object",
    "description": "A record as in a JSONL file: options with chosen or ranking, or chosen and rejected.",
    "properties": {
        "prompt": _TEXT,
        "options": {"type": "array", "items": _RESPONSE, "minItems": 2},
        "chosen": {
            "description": 'Number of an option, "tie", or, beside rejected, the reply.',
            "anyOf": [{"type": "integer", "minimum": 0}, _TEXT],
        },
        "rejected": _TEXT,
        "ranking": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        "group": {"type": "string"},
        "split": {"type": "string"},
    },
    "additionalProperties": False,
}


def _as_records(value: list[Any]) -> list[dict[str, Any]]:
    """Records that the library would read, without their user: that is who they are sent for."""
    for position, record in enumerate(value):
        as_choice(record, position)
    return [{name: part for name, part in record.items() if name != "user"} for record in value]


Prompt = Annotated[Any, AfterValidator(lambda value: parse_prompt(value, "body")), WithJsonSchema(_TEXT)]
"""A text, or a chat."""
Response = Annotated[Any, AfterValidator(lambda value: as_response(value, "body")), WithJsonSchema(_RESPONSE)]
"""A text, a chat, or numbers."""
Records = Annotated[
    list[Any], AfterValidator(_as_records), WithJsonSchema({"type": "array", "items": _RECORD})
]
"""One person's choices."""
PERSON_ID = r"^[A-Za-z0-9._@:|+-]{1,200}$"
PersonId = Annotated[str, Field(pattern=PERSON_ID, examples=["ann"])]
"""The caller's name for a person."""


class Shape(BaseModel):
    """Base of what requests hold: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Lenient(BaseModel):
    """Base of requests of other protocols, whose clients send more than is used here."""

    model_config = ConfigDict(extra="ignore")


class ErrorDetail(BaseModel):
    """What was wrong."""

    message: str
    type: str


class ErrorAnswer(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorDetail


def asked(
    tenant: str, user: str | None, choices: list[dict[str, Any]] | None, model: str | None = None
) -> Asked:
    """Who is meant: `user`, "fsa/USER" in `model`, the person of `choices`, or, with none, an unknown person.

    Raises:
        Unprocessable: Two of these came at once.
    """
    named = model.removeprefix("fsa/") if model and model.startswith("fsa/") else None
    if user is not None and choices is not None:
        raise Unprocessable("user and choices name two people; give one of them")
    if choices is not None:
        return Asked(tenant, None, tuple(choices))
    if named is not None and not is_person_id(named):
        raise Unprocessable(f"model names no person: what follows fsa/ has to match {PERSON_ID}")
    return Asked(tenant, user if user is not None else named)


def is_person_id(value: str) -> bool:
    """Whether a text may be a person's id."""
    return re.match(PERSON_ID, value) is not None and not value.endswith("\n")
