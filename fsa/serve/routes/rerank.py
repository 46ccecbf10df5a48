"""Candidates in the order a person would want them, in the shape of Cohere's, Jina's and vLLM's `/rerank`."""

from __future__ import annotations

import uuid

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from fsa.serve.access import Reader, Served
from fsa.serve.direct import Direct
from fsa.serve.routes.score import check_number
from fsa.serve.shapes import Lenient, PersonId, Prompt, Records, asked

router = APIRouter(tags=["rewards"], route_class=Direct)


class Document(Lenient):
    """A candidate as an object."""

    text: str


class RerankRequest(Lenient):
    """Candidates for a query.

    The person is `user`, or in `model` as "fsa/USER", or of `choices`.
    """

    query: Prompt
    documents: list[str | Document] = Field(min_length=1)
    model: str | None = None
    user: PersonId | None = None
    choices: Records | None = Field(None, max_length=1000)
    top_n: int | None = Field(None, ge=0, description="How many to give back; 0 and null give all.")
    return_documents: bool = True


class Ranked(Lenient):
    """A candidate and what the person's reward model says of it."""

    index: int
    relevance_score: float = Field(description="Probability that the person picks it among all candidates.")
    document: Document | None = None
    reward: float = Field(description="Nats.")
    stderr: float | None
    low: float = Field(description="Lower end of the reward's 90 % interval.")
    high: float


class RerankAnswer(Lenient):
    """Candidates, the best first."""

    id: str
    model: str
    results: list[Ranked]
    usage: dict[str, int]
    meta: dict[str, dict[str, str]]


@router.post("/rerank", operation_id="rerank")
@router.post("/v1/rerank", operation_id="rerank_v1")
@router.post("/v2/rerank", operation_id="rerank_v2")
async def rerank(body: RerankRequest, access: Reader, service: Served) -> RerankAnswer:
    """Order candidates by the probability that the person picks them."""
    check_number(service, len(body.documents))
    texts = [each if isinstance(each, str) else each.text for each in body.documents]
    who = asked(access.tenant, body.user, body.choices, body.model)
    scored = await service.score(who, body.query, texts)
    # By probability, as clients expect; where that rounds to the same, by reward.
    order = np.lexsort((np.negative(scored.reward), np.negative(scored.probability))).tolist()
    results = [
        Ranked(
            index=i,
            relevance_score=scored.probability[i],
            document=Document(text=texts[i]) if body.return_documents else None,
            reward=scored.reward[i],
            stderr=None if scored.stderr is None else scored.stderr[i],
            low=scored.low[i],
            high=scored.high[i],
        )
        for i in order[: body.top_n or None]
    ]
    return RerankAnswer(
        id=f"rerank-{uuid.uuid4().hex}",
        model=body.model or "fsa",
        results=results,
        usage={"total_tokens": 0},
        meta={"api_version": {"version": "2"}},
    )
