"""A process of ours, timed and weighed."""

import pytest

from eval.bench.process import ran


def test_what_it_prints_and_holds_is_told():
    holds = "a = bytearray(10**8); a[::4096] = b'1' * len(a[::4096]); print(len(a))"
    made = ran("-c", f"{holds}; import time; time.sleep(0.3)")
    assert made.printed == "100000000\n"
    assert 100 < made.peak < 400
    assert made.seconds > 0


def test_one_that_fails_ends_the_bench_with_its_command():
    with pytest.raises(SystemExit, match="import nothing_at_all failed"):
        ran("-c", "import nothing_at_all")
