"""The remote reward model of OpenRLHF: `--reward.remote_url http://HOST:PORT/get_reward`.

OpenRLHF swallows a failed call and then lacks a reward, so every request that can be read is answered with
finite numbers, and `extra_logs` says what was wrong.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from fsa.errors import FsaError
from fsa.outputs.api_inputs import as_choice
from fsa.serve.access import Reader, Served
from fsa.serve.conversations import taken_apart
from fsa.serve.direct import Direct
from fsa.serve.people import Asked
from fsa.serve.problems import Busy, NotFound, Unavailable
from fsa.serve.routes.score import check_number
from fsa.serve.scoring import squashed
from fsa.serve.service import Service
from fsa.serve.shapes import Lenient, is_person_id

router = APIRouter(tags=["trainers"], route_class=Direct)

_PATIENCE = 100  # times that a full queue is tried again, a second apart at last


class RewardRequest(Lenient):
    """What OpenRLHF posts: prompt and response as one text, the prompt, and a label for the person."""

    query: list[str] = Field(min_length=1)
    prompts: list[str] | None = None
    labels: list[Any] | None = Field(
        None, description='A person\'s id, {"user": ID} or {"choices": [...]}, plain or as JSON.'
    )


class RewardAnswer(Lenient):
    """Finite numbers, one a query."""

    rewards: list[float] = Field(description="Nats; compare within a prompt.")
    scores: list[float] = Field(description="The same as numbers from 0 to 1.")
    extra_logs: dict[str, list[float]]


@router.post("/get_reward")
async def get_reward(body: RewardRequest, access: Reader, service: Served) -> RewardAnswer:
    """Reward of every query."""
    check_number(service, len(body.query))
    prompts, labels = body.prompts or [], body.labels or []
    wanted = [
        _reward(
            service,
            access.tenant,
            query,
            prompts[i] if i < len(prompts) else None,
            labels[i] if i < len(labels) else None,
        )
        for i, query in enumerate(body.query)
    ]
    rewards, unknown, bad, failed = zip(*await asyncio.gather(*wanted), strict=True)
    return RewardAnswer(
        rewards=list(rewards),
        scores=[squashed(reward) for reward in rewards],
        extra_logs={"unknown_person": list(unknown), "bad_label": list(bad), "failed": list(failed)},
    )


async def _reward(
    service: Service, tenant: str, query: str, prompt: str | None, label: Any
) -> tuple[float, float, float, float]:
    """A reward; whether the person is not stored, the label is bad, the reward could not be computed."""
    asked, is_bad = _asked(tenant, label)
    question, response = taken_apart(query, prompt)
    try:
        return await _patiently(service, asked, question, response), 0.0, float(is_bad), 0.0
    except NotFound:
        asked = Asked(tenant)
    except FsaError:
        return 0.0, 0.0, float(is_bad), 1.0
    try:
        return await _patiently(service, asked, question, response), 1.0, 0.0, 0.0
    except FsaError:
        return 0.0, 1.0, 0.0, 1.0


async def _patiently(service: Service, asked: Asked, prompt: Any, response: str) -> float:
    """The reward, later where the queue is full: the caller would not ask again."""
    for attempt in range(_PATIENCE):
        try:
            return (await service.score(asked, prompt, [response])).reward[0]
        except Busy:
            await asyncio.sleep(min(0.01 * 2**attempt, 1.0))
    raise Unavailable("the queue was full for too long")


def _asked(tenant: str, label: Any) -> tuple[Asked, bool]:
    """The person whom a label names, and whether it names none that can be read."""
    if isinstance(label, str) and label.lstrip().startswith("{"):
        try:
            label = json.loads(label)
        except (ValueError, RecursionError):
            return Asked(tenant), True
    if label is None or label == "":
        return Asked(tenant), False
    named = label.get("user") if isinstance(label, dict) else label
    if isinstance(named, str):
        return (Asked(tenant, named), False) if is_person_id(named) else (Asked(tenant), True)
    if isinstance(label, dict) and isinstance(label.get("choices"), list):
        try:
            for position, record in enumerate(label["choices"]):
                as_choice(record, position)
        except FsaError:
            return Asked(tenant), True
        return Asked(tenant, None, tuple(label["choices"])), False
    return Asked(tenant), True
