"""`MicroBatcher`: requests that come one at a time, answered together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Generic, TypeVar

from fsa.serve.problems import Busy, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class MicroBatcher(Generic[Item, Answer]):
    """A bounded queue and one thread, which takes all that waits, up to a limit, and answers it at once.

    While a batch is computed the next one gathers, so under load batches grow by themselves; `max_wait` adds
    to that where the first of a batch may wait for company.

    Args:
        run: Answers a batch, in its order; an answer may be an exception, raised to the one who asked.
        max_items: Most items of a batch, >= 1; 1 answers one at a time.
        max_wait: Seconds that the first item of a batch waits for others, >= 0.
        max_queue: Most items that may wait, >= 1.
        executor: The thread that `run` runs in; one of its own if not given.
        observe: Is told the size of every batch.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Sequence[Answer | Exception]],
        *,
        max_items: int,
        max_wait: float,
        max_queue: int,
        executor: Executor | None = None,
        observe: Callable[[int], None] | None = None,
    ) -> None:
        self._run, self._observe = run, observe or (lambda _: None)
        self._max_items, self._max_wait, self._max_queue = max_items, max_wait, max_queue
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="fsa-batch")
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    @property
    def num_waiting(self) -> int:
        """Items that wait."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to answer; in a running event loop."""
        self._task = asyncio.create_task(self._answer_all())

    async def submit(self, item: Item) -> Answer:
        """The answer to one item. A request that is cancelled while waiting is not computed.

        Raises:
            Busy: Too many wait already.
            Unavailable: The server is about to stop.
        """
        if self._is_closing:
            raise Unavailable("the server is about to stop")
        if len(self._waiting) >= self._max_queue:
            raise Busy(f"{len(self._waiting)} requests are waiting, no more are taken")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._arrived.set()
        return await answer

    async def close(self) -> None:
        """Take no more, answer what was taken, and end."""
        self._is_closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    async def _answer_all(self) -> None:
        while not (self._is_closing and not self._waiting):
            await self._arrived.wait()
            if self._max_wait and len(self._waiting) < self._max_items and not self._is_closing:
                await asyncio.sleep(self._max_wait)
            batch = self._next_batch()
            if batch:
                await self._answer(batch)
            if not self._waiting and not self._is_closing:
                self._arrived.clear()

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        batch: list[tuple[Item, asyncio.Future[Answer]]] = []
        while self._waiting and len(batch) < self._max_items:
            item, answer = self._waiting.popleft()
            if not answer.done():  # else the client is gone
                batch.append((item, answer))
        return batch

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        self._observe(len(batch))
        items = [item for item, _ in batch]
        loop = asyncio.get_running_loop()
        answers: Sequence[Answer | Exception]
        try:
            answers = await loop.run_in_executor(self._executor, self._run, items)
        except Exception as error:
            answers = [error] * len(batch)
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if waiting.done():
                continue
            if isinstance(answer, Exception):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
