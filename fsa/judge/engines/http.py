"""`post_json`: one HTTP request whose every outcome is a value: an answer, or a named failure."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

_MOST_BYTES = 16 * 2**20  # of a body; a server that sends more is not answering the question


@dataclass(frozen=True)
class Answered:
    """A whole answer, of whatever status.

    Attributes:
        status: The HTTP status.
        text: The body; bytes that are no UTF-8 are replaced.
        retry_after: Seconds that the server asks to wait; 0 where it does not.
    """

    status: int
    text: str
    retry_after: float = 0.0


@dataclass(frozen=True)
class Failed:
    """No whole answer came.

    Attributes:
        problem: "time-out", "no connection", "truncated body" or "oversized body".
    """

    problem: str


def post_json(url: str, body: Any, headers: Mapping[str, str], timeout: float) -> Answered | Failed:
    """Send JSON and wait for the whole answer. Redirects are not followed: a key goes where it was meant to.

    Args:
        url: Where to.
        body: Anything that JSON holds.
        headers: Besides the content's type.
        timeout: Seconds that the request may take as a whole, however the server spreads its bytes.
    """
    try:
        return asyncio.run(_post(url, json.dumps(body).encode(), headers, timeout))
    except TimeoutError:
        return Failed("time-out")
    except (aiohttp.ClientError, OSError, ValueError):
        return Failed("no connection")


async def _post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answered | Failed:
    parts = urlsplit(url)
    # Proxies alone: `trust_env` would send a password out of ~/.netrc as well.
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    plain = {"Content-Type": "application/json", "User-Agent": "fsa", "Accept-Encoding": "identity"}
    whole = aiohttp.ClientTimeout(total=timeout)
    async with (
        aiohttp.ClientSession(timeout=whole, headers=plain) as session,
        session.post(url, data=body, headers=headers, proxy=proxy, allow_redirects=False) as answer,
    ):
        raw = b""
        try:
            async for part in answer.content.iter_any():
                raw += part
                if len(raw) > _MOST_BYTES:
                    return Failed("oversized body")
        except aiohttp.ClientPayloadError:
            if answer.status == 200:  # what is wrong is said by any other status alone
                return Failed("truncated body")
        wish = _seconds(answer.headers.get("Retry-After"))
        return Answered(answer.status, raw.decode("utf-8", "replace"), wish)


def _seconds(retry_after: str | None) -> float:
    """A number of seconds; a date, which the standard allows too, counts as no wish."""
    try:
        seconds = float(retry_after or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
