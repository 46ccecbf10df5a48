"""Requests that come one at a time, answered together."""

import asyncio
import threading

import pytest

from fsa.serve.batching import MicroBatcher
from fsa.serve.problems import Busy, Unavailable


class Doubling:
    """Doubles numbers, notes its batches, and waits in the middle of each until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go_on = threading.Event()
        self.began = threading.Event()

    def __call__(self, items):
        self.batches.append(list(items))
        self.began.set()
        assert self.may_go_on.wait(10)
        return [ValueError("three") if item == 3 else 2 * item for item in items]


def batcher(run, max_items=64, max_wait=0.0, max_queue=100) -> MicroBatcher:
    made = MicroBatcher(run, max_items=max_items, max_wait=max_wait, max_queue=max_queue)
    made.start()
    return made


async def begun(run: Doubling) -> None:
    await asyncio.get_running_loop().run_in_executor(None, run.began.wait, 10)


def test_what_comes_while_a_batch_is_computed_is_the_next_batch():
    async def scenario():
        run = Doubling()
        queue = batcher(run, max_items=3)
        first = asyncio.ensure_future(queue.submit(0))
        await begun(run)
        others = [asyncio.ensure_future(queue.submit(i)) for i in (1, 2, 4, 5)]
        await asyncio.sleep(0)
        assert queue.num_waiting == 4
        run.may_go_on.set()
        assert await asyncio.gather(first, *others) == [0, 2, 4, 8, 10]
        assert run.batches == [[0], [1, 2, 4], [5]]
        await queue.close()

    asyncio.run(scenario())


def test_the_first_of_a_batch_waits_for_company_as_long_as_it_is_told():
    async def scenario():
        run = Doubling()
        run.may_go_on.set()
        queue = batcher(run, max_wait=0.05)
        assert await asyncio.gather(*(queue.submit(i) for i in (1, 2))) == [2, 4]
        assert run.batches == [[1, 2]]
        await queue.close()

    asyncio.run(scenario())


def test_an_answer_that_is_an_error_is_raised_to_its_own_asker_alone():
    async def scenario():
        run = Doubling()
        run.may_go_on.set()
        queue = batcher(run, max_wait=0.05)
        answers = await asyncio.gather(*(queue.submit(i) for i in (1, 3)), return_exceptions=True)
        assert answers[0] == 2
        assert str(answers[1]) == "three"
        await queue.close()

    asyncio.run(scenario())


def test_a_batch_that_fails_whole_tells_everybody_and_the_next_is_answered():
    async def scenario():
        def run(items):
            if 1 in items:
                raise RuntimeError("out of memory")
            return items

        queue = batcher(run, max_wait=0.05)
        answers = await asyncio.gather(queue.submit(1), queue.submit(2), return_exceptions=True)
        assert [str(answer) for answer in answers] == ["out of memory"] * 2
        assert await queue.submit(2) == 2
        await queue.close()

    asyncio.run(scenario())


def test_a_full_queue_says_so_and_whoever_is_gone_is_not_computed():
    async def scenario():
        run = Doubling()
        queue = batcher(run, max_queue=2)
        first = asyncio.ensure_future(queue.submit(0))
        await begun(run)
        others = [asyncio.ensure_future(queue.submit(i)) for i in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 requests are waiting"):
            await queue.submit(4)
        others[0].cancel()
        run.may_go_on.set()
        assert await first == 0
        assert await others[1] == 4
        assert run.batches == [[0], [2]]
        await queue.close()

    asyncio.run(scenario())


def test_closing_answers_what_was_taken_and_takes_no_more():
    async def scenario():
        run = Doubling()
        queue = batcher(run, max_items=1)
        taken = [asyncio.ensure_future(queue.submit(i)) for i in (1, 2)]
        await begun(run)
        closing = asyncio.ensure_future(queue.close())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await queue.submit(4)
        run.may_go_on.set()
        assert await asyncio.gather(*taken) == [2, 4]
        await closing

    asyncio.run(scenario())
