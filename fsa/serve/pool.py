"""`Pool`: threads for what would keep the event loop waiting, with a bound on how much waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fsa.serve.problems import Busy

Answer = TypeVar("Answer")


class Pool:
    """Runs functions in threads.

    Args:
        name: Of the threads.
        threads: How many, >= 1.
        max_waiting: Most calls under way or waiting.
    """

    def __init__(self, name: str, threads: int, max_waiting: int) -> None:
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._max_waiting, self._waiting = max_waiting, 0

    async def run(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """What the function returns or raises.

        Raises:
            Busy: Too many calls wait already.
        """
        if self._waiting >= self._max_waiting:
            raise Busy(f"{self._waiting} requests are waiting, no more are taken")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, function, *arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End when all that was begun is done."""
        self.executor.shutdown(wait=True)
