"""What those who run the server ask: whether it lives, whether it is ready, its metrics, its models."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from fsa.serve.access import Reader, Served
from fsa.serve.problems import Unavailable
from fsa.serve.shapes import Shape

router = APIRouter(tags=["operations"])


class HealthAnswer(Shape):
    """The process answers."""

    status: str = "ok"


class Model(Shape):
    """A name for `model`."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "fsa"


class ModelsAnswer(Shape):
    """What may stand for `model`; "fsa/USER" may as well, for every person."""

    object: str = "list"
    data: list[Model]


class AboutAnswer(Shape):
    """What this server is and may be asked."""

    version: str
    model: str = Field(description="sha256 of the reward model.")
    policy: bool = Field(description="Whether chat completions are answered.")
    judge: bool = Field(description="Whether candidates are judged by a target.")
    max_responses: int
    max_choices: int
    max_tokens: int
    max_body_bytes: int


@router.get("/health")
async def health() -> HealthAnswer:
    """Whether the process answers."""
    return HealthAnswer()


@router.get("/ready")
async def ready(service: Served) -> HealthAnswer:
    """Whether requests can be served: the models are open and the database can be reached."""
    try:
        await service.database.run(service.store.check)
    except SQLAlchemyError as error:
        raise Unavailable("the database cannot be reached") from error
    return HealthAnswer()


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(service: Served) -> Response:
    """Metrics for Prometheus; of all workers together."""
    return Response(service.metrics.page(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/about")
async def about(access: Reader, service: Served) -> AboutAnswer:
    """What is served, and how much of it at once."""
    settings = service.settings
    return AboutAnswer(
        version=version("fsa"),
        model=service.model_hash,
        policy=service.answers is not None,
        judge=service.judge is not None,
        max_responses=settings.max_responses,
        max_choices=settings.max_choices,
        max_tokens=settings.max_tokens,
        max_body_bytes=settings.max_body_bytes,
    )


@router.get("/v1/models")
async def models(access: Reader, service: Served) -> ModelsAnswer:
    """Names for `model`."""
    return ModelsAnswer(data=[Model(id="fsa", created=service.started)])
