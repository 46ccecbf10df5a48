import asyncio
import threading

import pytest

from fsa.serve.pool import Pool
from fsa.serve.problems import Busy


def test_functions_run_in_its_threads_and_errors_come_back():
    async def work() -> None:
        pool = Pool("mine", 1, 2)
        assert (await pool.run(lambda: threading.current_thread().name)).startswith("mine")
        assert await pool.run(pow, 2, 5) == 32
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        pool.close()

    asyncio.run(work())


def test_more_calls_than_may_wait_are_told_to_come_again():
    async def work() -> None:
        pool, gate = Pool("mine", 1, 2), threading.Event()
        calls = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 requests are waiting"):
            await pool.run(gate.wait)
        gate.set()
        assert await asyncio.gather(*calls) == [True, True]
        assert await pool.run(pow, 2, 2) == 4  # there is room again
        pool.close()

    asyncio.run(work())
