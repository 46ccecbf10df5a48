"""Rewards of some responses for one person."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from fsa.serve.access import Reader, Served
from fsa.serve.direct import Direct
from fsa.serve.problems import Unprocessable
from fsa.serve.service import Service
from fsa.serve.shapes import PersonId, Prompt, Records, Response, Shape, asked

router = APIRouter(prefix="/v1", tags=["rewards"], route_class=Direct)


class ScoreRequest(Shape):
    """Responses to a prompt, and whose rewards: a stored person's, or of the person of `choices`."""

    user: PersonId | None = None
    choices: Records | None = Field(None, max_length=1000)
    prompt: Prompt = ""
    responses: list[Response] = Field(min_length=1)


class ScoreAnswer(Shape):
    """One number a response, in the order they came."""

    reward: list[float] = Field(description="Nats; compare within a prompt. A gap of 1 is odds of e to 1.")
    stderr: list[float] | None = Field(description="Standard deviation over the belief; null for a point.")
    low: list[float] = Field(description="Lower end of the 90 % interval of the reward.")
    high: list[float] = Field(description="Upper end.")
    probability: list[float] = Field(description="That the person picks this response among all of them.")
    rank: list[int] = Field(description="1 is the best.")


@router.post("/score")
async def score(body: ScoreRequest, access: Reader, service: Served) -> ScoreAnswer:
    """Score responses. Requests that come together are computed together."""
    check_number(service, len(body.responses))
    who = asked(access.tenant, body.user, body.choices)
    return ScoreAnswer(**vars(await service.score(who, body.prompt, body.responses)))


def check_number(service: Service, number: int) -> None:
    """Refuse more responses than a request may have.

    Raises:
        Unprocessable: There are more.
    """
    if number > service.settings.max_responses:
        raise Unprocessable(f"a request may have {service.settings.max_responses} responses, came {number}")
