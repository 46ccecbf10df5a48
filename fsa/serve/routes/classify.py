"""One reward a text, in the shapes of vLLM's `/classify` and of `/v1/embeddings`, which verl asks for.

vLLM: `probs` is the reward itself, as with `use_activation: false` there. SGLang: the reward is the only
number of the embedding.
"""

from __future__ import annotations

import asyncio
import base64
import math
import struct
import time
import uuid
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from fsa.serve.access import Reader, Served
from fsa.serve.conversations import taken_apart
from fsa.serve.direct import Direct
from fsa.serve.problems import Unprocessable
from fsa.serve.routes.score import check_number
from fsa.serve.scoring import squashed
from fsa.serve.service import Service
from fsa.serve.shapes import Lenient, PersonId, Prompt, Records, asked

router = APIRouter(tags=["trainers"], route_class=Direct)


class TextsRequest(Lenient):
    """Texts to reward: each a prompt and a response as a chat template wrote them, or one chat.

    The chat ends with the response. The person is `user`, or in `model` as "fsa/USER", or of
    `choices`.
    """

    model: str | None = None
    input: str | list[str] | None = None
    messages: Prompt | None = None
    user: PersonId | None = None
    choices: Records | None = Field(None, max_length=1000)


class ClassifyRequest(TextsRequest):
    """The same, with vLLM's word for a sigmoid."""

    use_activation: bool | None = Field(None, description="True gives a number from 0 to 1.")


class EmbeddingsRequest(TextsRequest):
    """The same, with OpenAI's word for how numbers are written."""

    encoding_format: Literal["float", "base64"] = "float"


class Classified(Lenient):
    """One text's reward."""

    index: int
    label: str = "LABEL_0"
    probs: list[float]
    num_classes: int = 1


class ClassifyAnswer(Lenient):
    """Rewards in vLLM's shape."""

    id: str
    object: str = "list"
    created: int
    model: str
    data: list[Classified]
    usage: dict[str, int]


class Embedded(Lenient):
    """One text's reward, as an embedding of one number; base64 of a 32-bit float where that was asked for."""

    object: str = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingsAnswer(Lenient):
    """Rewards in OpenAI's shape of embeddings."""

    object: str = "list"
    model: str
    data: list[Embedded]
    usage: dict[str, int]


@router.post("/classify")
async def classify(body: ClassifyRequest, access: Reader, service: Served) -> ClassifyAnswer:
    """Reward of each text, in nats."""
    rewards = await _rewards(body, access.tenant, service)
    if body.use_activation:
        rewards = [squashed(reward) for reward in rewards]
    return ClassifyAnswer(
        id=f"classify-{uuid.uuid4().hex}",
        created=int(time.time()),
        model=body.model or "fsa",
        data=[Classified(index=i, probs=[reward]) for i, reward in enumerate(rewards)],
        usage={"prompt_tokens": 0, "total_tokens": 0},
    )


@router.post("/v1/embeddings")
async def embeddings(body: EmbeddingsRequest, access: Reader, service: Served) -> EmbeddingsAnswer:
    """Reward of each text, in nats."""
    rewards = await _rewards(body, access.tenant, service)
    is_plain = body.encoding_format == "float"
    return EmbeddingsAnswer(
        model=body.model or "fsa",
        data=[
            Embedded(index=i, embedding=[reward] if is_plain else _base64(reward))
            for i, reward in enumerate(rewards)
        ],
        usage={"prompt_tokens": 0, "total_tokens": 0},
    )


async def _rewards(body: TextsRequest, tenant: str, service: Service) -> list[float]:
    pairs = _pairs(body)
    check_number(service, len(pairs))
    who = asked(tenant, body.user, body.choices, body.model)
    scored = await asyncio.gather(*(service.score(who, prompt, [response]) for prompt, response in pairs))
    return [each.reward[0] for each in scored]


def _pairs(body: TextsRequest) -> list[tuple[Any, str]]:
    """Prompt and response of everything that is to be rewarded."""
    if (body.input is None) == (body.messages is None):
        raise Unprocessable("input or messages must be given, exactly one of them")
    if body.input is not None:
        texts = [body.input] if isinstance(body.input, str) else body.input
        if not texts:
            raise Unprocessable("input must be a text, or a list of at least one")
        return [taken_apart(text) for text in texts]
    messages: Any = body.messages
    if isinstance(messages, str) or messages[-1]["role"] != "assistant":
        raise Unprocessable("messages must be a chat that ends with the assistant's response")
    before = messages[:-1]
    is_plain = len(before) == 1 and before[0]["role"] == "user"
    return [((before[0]["content"] if is_plain else before) or "", messages[-1]["content"])]


def _base64(reward: float) -> str:
    # 32 bits hold no larger number.
    fits = math.copysign(min(abs(reward), 3.4e38), reward)
    return base64.b64encode(struct.pack("<f", fits)).decode()
