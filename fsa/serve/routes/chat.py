"""Answers by a person's policy, in the shape of OpenAI's chat completions. People share batches."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from fsa.errors import FsaError
from fsa.serve.access import Reader, Served
from fsa.serve.batching import MicroBatcher
from fsa.serve.problems import Problem, Unprocessable
from fsa.serve.service import Service
from fsa.serve.shapes import Lenient, PersonId, Records, asked
from fsa.serve.writing import Sampling, ToWrite, Written
from fsa.types import Messages

router = APIRouter(prefix="/v1", tags=["policies"])


class Part(Lenient):
    """A piece of a message; only text can be read."""

    type: Literal["text"]
    text: str


class Message(Lenient):
    """One turn of a chat."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part]


class StreamOptions(Lenient):
    """What a stream says beside the answer."""

    include_usage: bool = False


class ChatRequest(Lenient):
    """A chat to go on with. The person is `user`, or in `model` as "fsa/USER", or of `choices`."""

    messages: list[Message] = Field(min_length=1)
    model: str | None = None
    user: PersonId | None = None
    choices: Records | None = Field(None, max_length=1000)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    n: int = Field(1, ge=1, le=8)
    stop: str | list[str] | None = Field(None, description="Texts before which the answer ends, at most 4.")
    stream: bool = False
    stream_options: StreamOptions | None = None


class Answer(Lenient):
    """The assistant's turn."""

    role: Literal["assistant"] = "assistant"
    content: str


class Completion(Lenient):
    """One answer."""

    index: int
    message: Answer
    finish_reason: Literal["stop", "length"]


class Usage(Lenient):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatAnswer(Lenient):
    """Answers in OpenAI's shape."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Completion]
    usage: Usage


_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}


@router.post("/chat/completions", response_model=ChatAnswer, responses={200: {"content": _EVENTS}})
async def complete(body: ChatRequest, access: Reader, service: Served) -> Any:
    """Answer as the person would want it, all at once or as it is written."""
    writer = service.writer()
    item = _item(body, access.tenant, service)
    about: dict[str, Any] = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
    about["model"] = body.model or "fsa"
    if body.stream:
        first, rest = await _opened(_stream(writer, item, body, about))
        return StreamingResponse(_chained(first, rest), media_type="text/event-stream")
    written = await asyncio.gather(*(writer.submit(item) for _ in range(body.n)))
    completions = [
        Completion(index=i, message=Answer(content=each.text), finish_reason=_reason(each))
        for i, each in enumerate(written)
    ]
    return ChatAnswer(**about, choices=completions, usage=_usage(written))


def _item(body: ChatRequest, tenant: str, service: Service) -> ToWrite:
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stop) > 4 or not all(stop):
        raise Unprocessable("stop may be up to 4 texts, none of them empty")
    if body.stream and body.n > 1:
        raise Unprocessable("a stream holds one answer; n must be 1")
    longest = body.max_completion_tokens or body.max_tokens or service.settings.max_tokens
    return ToWrite(
        asked(tenant, body.user, body.choices, body.model),
        _messages(body.messages),
        min(longest, service.settings.max_tokens),
        Sampling(body.temperature, body.top_p),
        tuple(stop),
    )


def _messages(messages: list[Message]) -> Messages:
    plain = [
        {"role": "system" if each.role == "developer" else each.role, "content": _text(each.content)}
        for each in messages
    ]
    if not any(each["content"].strip() for each in plain):
        raise Unprocessable("messages must have some content")
    return tuple(plain)


def _text(content: str | list[Part]) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)


async def _stream(
    writer: MicroBatcher[ToWrite, Written], item: ToWrite, body: ChatRequest, about: dict[str, Any]
) -> AsyncIterator[str]:
    """Server-sent events: a piece of text each, and how it ended."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def tell(text: str | None) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, text)

    whole = asyncio.ensure_future(writer.submit(replace(item, on_text=tell)))
    whole.add_done_callback(lambda _: tell(None))
    try:
        role = {"role": "assistant"}
        while (text := await pieces.get()) is not None:
            yield _event(about, {**role, "content": text})
            role = {}
        written = await whole
        yield _event(about, role, _reason(written))
        if body.stream_options and body.stream_options.include_usage:
            yield _said({**_chunk(about), "choices": [], "usage": _usage([written]).model_dump()})
        yield "data: [DONE]\n\n"
    finally:
        whole.cancel()  # the client has gone


async def _opened(events: AsyncIterator[str]) -> tuple[str, AsyncIterator[str]]:
    """The first event, before the response has begun: what is wrong by then still has a status of its own."""
    return await anext(events), events


async def _chained(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    try:
        async for event in rest:
            yield event
    except FsaError as error:
        kind = error.kind if isinstance(error, Problem) else Unprocessable.kind
        yield _said({"error": {"message": str(error), "type": kind}})


def _event(about: dict[str, Any], delta: dict[str, str], reason: str | None = None) -> str:
    return _said({**_chunk(about), "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _chunk(about: dict[str, Any]) -> dict[str, Any]:
    return {**about, "object": "chat.completion.chunk"}


def _said(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n"


def _reason(written: Written) -> Literal["stop", "length"]:
    return "length" if written.is_cut else "stop"


def _usage(written: list[Written]) -> Usage:
    read, made = written[0].num_prompt_tokens, sum(each.num_tokens for each in written)
    return Usage(prompt_tokens=read, completion_tokens=made, total_tokens=read + made)
