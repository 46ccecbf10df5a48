"""People: their choices, what is believed of them, what to ask them next, and how they are erased."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from pydantic import Field

from fsa.errors import FsaError
from fsa.outputs.reward_model import Person
from fsa.serve.access import Changer, Eraser, Reader, Served
from fsa.serve.people import Asked, choices_hash
from fsa.serve.problems import Unprocessable
from fsa.serve.service import Service
from fsa.serve.shapes import PersonId, Records, Shape
from fsa.serve.store.people import StoredChoice, StoredPerson, Who

router = APIRouter(prefix="/v1/people", tags=["people"])

InPath = Annotated[PersonId, Path(description="The caller's name for the person.")]
ChoiceId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,200}$",
        description="The same request again under the same key adds nothing.",
    ),
]


class PersonAnswer(Shape):
    """A person."""

    id: str
    created: datetime
    num_choices: int = Field(description="Choices that were not taken back.")


class NewChoices(Shape):
    """Choices to add."""

    choices: Records = Field(min_length=1, max_length=1000)


class AddedAnswer(Shape):
    """Choices that are on the disk now."""

    ids: list[str]
    added: int = Field(description="0 where the same was added before under this key.")


class ChoiceAnswer(Shape):
    """A choice as it came."""

    id: str
    record: dict[str, Any]
    created: datetime
    undone: datetime | None = Field(description="When it was taken back.")


class ChoicesAnswer(Shape):
    """All choices of a person, in the order they came."""

    choices: list[ChoiceAnswer]


class UndoneAnswer(Shape):
    """A choice that counts no longer."""

    id: str
    undone: bool = Field(description="False where it had been taken back before.")


class BeliefAnswer(Shape):
    """What the model believes of a person, as numbers of its own."""

    mean: list[float]
    std: list[float] = Field(description="All zeros where beliefs are points.")
    num_choices: int
    model: str = Field(description="sha256 of the model.")
    choices: str = Field(description="sha256 of the choices that the belief was read from.")


class ExportAnswer(Shape):
    """Everything that is held about a person."""

    person: PersonAnswer
    choices: list[ChoiceAnswer]
    belief: BeliefAnswer


class ErasedAnswer(Shape):
    """What is no longer there."""

    id: str
    choices: int
    beliefs: int = Field(description="Of this process; another drops its own when next asked for the person.")
    adapters: int = Field(description="Always 0: an answer is steered as it is written, no adapter is kept.")


@router.put("/{person}", responses={201: {"model": PersonAnswer}})
async def put(person: InPath, access: Changer, service: Served, response: Response) -> PersonAnswer:
    """Make a person. One that is there stays as they are."""
    stored, is_new = await service.database.run(service.store.put, (access.tenant, person))
    response.status_code = 201 if is_new else 200
    return _person(stored)


@router.get("/{person}")
async def get(person: InPath, access: Reader, service: Served) -> PersonAnswer:
    """A person, without their choices."""
    return _person(await service.database.run(service.store.get, (access.tenant, person)))


@router.delete("/{person}")
async def erase(person: InPath, access: Eraser, service: Served) -> ErasedAnswer:
    """Erase a person with all that is held about them."""
    who = (access.tenant, person)
    number = await service.database.run(service.store.erase, who)
    beliefs = await service.forget(who)
    service.metrics.erased.inc()
    return ErasedAnswer(id=person, choices=number, beliefs=beliefs, adapters=0)


@router.post("/{person}/choices", responses={201: {"model": AddedAnswer}})
async def add(
    person: InPath, body: NewChoices, access: Changer, service: Served, response: Response, key: Key = None
) -> AddedAnswer:
    """Add choices, all or none; a person who is not there is made. Answered when they are on the disk."""
    await service.model.run(_check, service, body.choices)
    arguments = ((access.tenant, person), body.choices, key or uuid.uuid4().hex)
    ids, is_new = await service.database.run(service.store.add_choices, *arguments)
    service.metrics.choices.inc(len(ids) if is_new else 0)
    response.status_code = 201 if is_new else 200
    return AddedAnswer(ids=ids, added=len(ids) if is_new else 0)


@router.get("/{person}/choices")
async def choices(person: InPath, access: Reader, service: Served) -> ChoicesAnswer:
    """All choices of a person, those taken back among them."""
    stored = await service.database.run(service.store.choices, (access.tenant, person))
    return ChoicesAnswer(choices=[_choice(each) for each in stored])


@router.delete("/{person}/choices/{choice}")
async def undo(person: InPath, choice: ChoiceId, access: Changer, service: Served) -> UndoneAnswer:
    """Take one choice back: what is believed is then as if it had never been made."""
    undone = await service.database.run(service.store.undo, (access.tenant, person), choice)
    return UndoneAnswer(id=choice, undone=undone)


@router.get("/{person}/belief")
async def belief(person: InPath, access: Reader, service: Served) -> BeliefAnswer:
    """What the model believes of a person."""
    return await service.model.run(_belief, service, (access.tenant, person))


@router.get("/{person}/export")
async def export(person: InPath, access: Reader, service: Served) -> ExportAnswer:
    """Everything that is held about a person."""
    who = (access.tenant, person)
    stored = await service.database.run(service.store.get, who)
    held = await service.database.run(service.store.choices, who)
    believed = await service.model.run(_belief, service, who)
    return ExportAnswer(person=_person(stored), choices=[_choice(each) for each in held], belief=believed)


def known_person(service: Service, who: Who) -> Person:
    """The person as the model has read them; in the model's thread."""
    [person] = service.people.of([Asked(*who)])
    if isinstance(person, FsaError):
        raise person
    return person


def _belief(service: Service, who: Who) -> BeliefAnswer:
    person = known_person(service, who)
    records = service.store.records([who])[who]
    return BeliefAnswer(
        mean=person.belief.mean[0].tolist(),
        std=person.belief.std[0].tolist(),
        num_choices=len(records),
        model=service.model_hash,
        choices=choices_hash(records),
    )


def _check(service: Service, records: list[dict[str, Any]]) -> None:
    """Refuse choices that the model cannot read: kept, they would make the person unreadable."""
    try:
        person = service.rewards.for_user(records)
    except FsaError as error:
        raise Unprocessable(str(error)) from error
    if not person.belief.mean.isfinite().all():
        raise Unprocessable(
            "the belief is not finite; the numbers of the options are too large for the model"
        )


def _person(stored: StoredPerson) -> PersonAnswer:
    return PersonAnswer(id=stored.id, created=_time(stored.created), num_choices=stored.num_choices)


def _choice(stored: StoredChoice) -> ChoiceAnswer:
    undone = None if stored.undone is None else _time(stored.undone)
    return ChoiceAnswer(id=stored.id, record=stored.record, created=_time(stored.created), undone=undone)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
