"""The texts that this server was started with, to choose between."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from fsa.serve.access import Reader, Served
from fsa.serve.shapes import Shape

router = APIRouter(prefix="/v1", tags=["people"])


class CandidatesOfPrompt(Shape):
    """Responses to one prompt."""

    prompt: Any
    responses: list[Any]
    levels: dict[str, list[float]] | None = Field(
        description="How much of each attribute each response has, where the file says so."
    )


class CandidatesAnswer(Shape):
    """What people may be asked about; empty where the server was started without `--candidates`."""

    groups: list[CandidatesOfPrompt]


@router.get("/candidates")
async def candidates(access: Reader, service: Served) -> CandidatesAnswer:
    """Responses of the file of candidates, by prompt."""
    return CandidatesAnswer(
        groups=[
            CandidatesOfPrompt(
                prompt=group.prompt,
                responses=list(group.responses),
                levels=None if group.levels is None else {n: list(c) for n, c in group.levels.items()},
            )
            for group in service.candidates
        ]
    )
