"""What a person likes in responses, and where they are among kinds of people."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from fsa.outputs.likings import Group
from fsa.serve.access import Reader, Served
from fsa.serve.problems import Unprocessable
from fsa.serve.routes.people import InPath, known_person
from fsa.serve.routes.score import check_number
from fsa.serve.service import Service
from fsa.serve.shapes import Prompt, Response, Shape
from fsa.serve.store.people import Who

router = APIRouter(prefix="/v1/people", tags=["people"])


class GroupShape(Shape):
    """Responses to one prompt, and how much of which attribute they have."""

    prompt: Prompt = ""
    responses: list[Response] = Field(min_length=1)
    levels: dict[str, list[float]] | None = Field(
        None, description="By attribute, one number a response; measured where it is left out."
    )


class LikingsRequest(Shape):
    """Responses that show attributes: likings are slopes of the person's rewards by these, within prompts."""

    groups: list[GroupShape] = Field(min_length=1)


class LikingAnswer(Shape):
    """How much a person likes an attribute, beside the population."""

    attribute: str
    person: float = Field(description="Nats of reward that a standard deviation more of it comes with.")
    low: float = Field(description="Lower end of the middle 90 % of what is believed of it.")
    high: float = Field(description="Upper end.")
    population: float = Field(description="The same for an unknown person.")
    says: str = Field(description="In words.")


class KindsAnswer(Shape):
    """Kinds of people, of the model's belief about an unknown person."""

    likings: list[list[float]] = Field(description="Of each kind, by attribute.")
    share: list[float] = Field(description="Probability of each kind for an unknown person.")
    weight: list[float] = Field(description="The same for this person.")


class LikingsAnswer(Shape):
    """What a person likes, and where they are among kinds of people."""

    num_choices: int = Field(description="Choices that it was read from.")
    likings: list[LikingAnswer]
    cloud: list[list[float]] = Field(description="Likings at equally probable atoms of the belief.")
    kinds: KindsAnswer


@router.post("/{person}/likings")
async def likings(person: InPath, body: LikingsRequest, access: Reader, service: Served) -> LikingsAnswer:
    """How much the person likes which attribute of responses, how sure that is, and their kind of people."""
    check_number(service, sum(len(group.responses) for group in body.groups))
    return await service.model.run(_likings, service, (access.tenant, person), body)


def _likings(service: Service, who: Who, body: LikingsRequest) -> LikingsAnswer:
    person = known_person(service, who)
    found = person.likings([Group(group.prompt, group.responses, group.levels) for group in body.groups])
    each = [[one.person, one.population, one.low, one.high] for one in found.each]
    if not all(np.isfinite(numbers).all() for numbers in (found.cloud, found.kinds, each)):
        raise Unprocessable("a reward is not finite; the numbers are too large for the model")
    return LikingsAnswer(
        num_choices=0 if person.history is None else len(person.history.choices),
        likings=[LikingAnswer(**vars(each), says=each.says) for each in found.each],
        cloud=found.cloud.tolist(),
        kinds=KindsAnswer(
            likings=found.kinds.tolist(), share=found.share.tolist(), weight=found.weight.tolist()
        ),
    )
