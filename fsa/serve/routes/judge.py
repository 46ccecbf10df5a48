"""The candidate nearest a target, as `fsa judge` gives it."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from pydantic import Field, WithJsonSchema

from fsa.errors import FsaError
from fsa.judge.judge import Judge
from fsa.judge.scores import Probe
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from fsa.serve.access import Reader, Served
from fsa.serve.problems import NotFound, Unprocessable
from fsa.serve.routes.score import check_number
from fsa.serve.shapes import Prompt, Response, Shape
from fsa.types import Text

router = APIRouter(prefix="/v1", tags=["rewards"])

_TARGET = {
    "type": "object",
    "description": "Levels of attributes, 0 to 1; or `levels` with `weights` and `at_least`.",
    "examples": [{"verbosity": 0.25, "helpfulness": 1}],
}


class JudgeRequest(Shape):
    """Candidates, and the levels that the best of them should have."""

    prompt: Prompt
    responses: list[Response] = Field(min_length=2)
    target: Annotated[dict[str, Any], WithJsonSchema(_TARGET)]


class JudgeAnswer(Shape):
    """The nearest candidate, and the scores that say why."""

    choice: int | None = Field(description="Place of the nearest response; null where a score is missing.")
    ties: list[int]
    distances: list[float | None]
    scores: dict[str, list[float | None]] = Field(description="By attribute, one a response, 0 to 1.")
    problems: list[str]


@router.post("/judge")
async def judge(body: JudgeRequest, access: Reader, service: Served) -> JudgeAnswer:
    """Choose the candidate nearest a target."""
    check_number(service, len(body.responses))
    if service.judge is None:
        raise NotFound("no judge is served; start the server with --judge FOLDER")
    try:
        target = AlignmentTarget.from_json(body.target, "target")
        target.check(service.judge.attributes)
        return await service.model.run(_answer, service.judge, target, body.prompt, tuple(body.responses))
    except FsaError as error:
        raise Unprocessable(str(error)) from error


def _answer(judge: Judge, target: AlignmentTarget, prompt: Text, responses: tuple[Text, ...]) -> JudgeAnswer:
    [scores] = judge.score([Probe("request", prompt, responses)])
    selection = select(scores, target)
    columns = scores.to_json()["mean"]
    return JudgeAnswer(
        choice=selection.index,
        ties=list(selection.ties),
        distances=[None if np.isnan(one) else float(one) for one in selection.distances],
        scores={name: [row[i] for row in columns] for i, name in enumerate(scores.attributes)},
        problems=list(scores.problems),
    )
