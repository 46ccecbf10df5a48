"""Clients that press a server: as few instructions as possible, for they share the machine with it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit


def press(
    url: str, bodies: Iterator[dict[str, Any]], clients: int, seconds: float = 0, requests: int = 0
) -> tuple[float, list[float]]:
    """Keep some requests under way, each client one after the other.

    Args:
        url: Of the server.
        bodies: What to post to /v1/score, without end.
        clients: Connections.
        seconds: For how long; 0 for a number of requests.
        requests: How many; 0 for a time.

    Returns:
        Seconds in all, and those of each request.

    Raises:
        RuntimeError: An answer was not 200.
    """
    return asyncio.run(_press(url, bodies, clients, seconds, requests))


async def _press(
    url: str, bodies: Iterator[dict[str, Any]], clients: int, seconds: float, requests: int
) -> tuple[float, list[float]]:
    latencies: list[float] = []
    started = time.perf_counter()
    wanted = iter(range(requests)) if requests else None
    ends = started + seconds if not requests else float("inf")

    async def one() -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.perf_counter() < ends and (wanted is None or next(wanted, None) is not None):
            body = json.dumps(next(bodies)).encode()
            began = time.perf_counter()
            writer.write(_HEAD % (parts.netloc.encode(), len(body)) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
            latencies.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the server answered {head[:60]!r}")
        writer.close()

    await asyncio.gather(*(one() for _ in range(clients)))
    return time.perf_counter() - started, latencies


_HEAD = b"POST /v1/score HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
