"""Which pair to show a person next."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from fsa.questions.acquisition import Acquisition
from fsa.questions.information_gain import InformationGain
from fsa.questions.least_certain import LeastCertain
from fsa.questions.predictive_gain import PredictiveGain
from fsa.questions.question import Question
from fsa.questions.random_pair import RandomPair
from fsa.serve.access import Reader, Served
from fsa.serve.problems import Unprocessable
from fsa.serve.routes.people import InPath, known_person
from fsa.serve.routes.score import check_number
from fsa.serve.service import Service
from fsa.serve.shapes import Prompt, Response, Shape
from fsa.serve.store.people import Who

router = APIRouter(prefix="/v1/people", tags=["people"])

_ACQUISITIONS: dict[str, Acquisition] = {
    "predictive_gain": PredictiveGain(),
    "information_gain": InformationGain(),
    "least_certain": LeastCertain(),
    "random": RandomPair(),
}


class PairShape(Shape):
    """Two responses to a prompt."""

    prompt: Prompt = ""
    options: list[Response] = Field(min_length=2, max_length=2)


class QuestionRequest(Shape):
    """What may be asked: any pair of `responses` to `prompt`, or one of `pairs`."""

    prompt: Prompt = ""
    responses: list[Response] | None = Field(None, min_length=2)
    pairs: list[PairShape] | None = Field(None, min_length=1)
    acquisition: Literal["predictive_gain", "information_gain", "least_certain", "random"] = "predictive_gain"


class QuestionAnswer(Shape):
    """The pair to show, and why."""

    prompt: Any
    options: list[Any]
    nats: float | None = Field(description="What the answer is worth; null where pairs are taken at random.")
    chance: float = Field(description="Probability that the person picks the first.")
    why: str


@router.post("/{person}/next-question")
async def next_question(
    person: InPath, body: QuestionRequest, access: Reader, service: Served
) -> QuestionAnswer:
    """The pair whose answer would say most about the person's other answers."""
    if (body.responses is None) == (body.pairs is None):
        raise Unprocessable("responses or pairs must be given, exactly one of them")
    check_number(service, len(body.responses or []) + 2 * len(body.pairs or []))
    question = await service.model.run(_ask, service, (access.tenant, person), body)
    return QuestionAnswer(
        prompt=question.prompt,
        options=list(question.options),
        nats=question.nats,
        chance=question.chance,
        why=question.why,
    )


def _ask(service: Service, who: Who, body: QuestionRequest) -> Question:
    person = known_person(service, who)
    acquisition = _ACQUISITIONS[body.acquisition]
    if body.pairs is None:
        question = person.next_question(body.prompt, body.responses, acquisition)
    else:
        pairs = [(pair.prompt, *pair.options) for pair in body.pairs]
        question = person.next_question(pairs, acquisition=acquisition)
    if not (abs(question.worth) < float("inf") and question.chance == question.chance):
        raise Unprocessable("a reward is not finite; the numbers are too large for the model")
    return question
