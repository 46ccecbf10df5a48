import numpy as np

import eval.bench.clock as bench_clock
from eval.bench.clock import Clock


def test_a_clock_leaves_out_warming_up_and_the_last_step(monkeypatch):
    now = iter([10.0, 20.0, 23.0, 27.0])
    monkeypatch.setattr(bench_clock.time, "perf_counter", lambda: next(now))
    monkeypatch.setattr(bench_clock, "resident", lambda: (100.0, 150.0))
    monkeypatch.setattr(bench_clock, "forget_peak", lambda: None)
    clock = Clock(warm=1, loaded=110.0)
    for tokens in (1, 10, 100, 1000):
        clock.step(tokens)
    found = clock.read()
    # Steps 2 and 3 count: they start at 20 and end where the fourth starts, at 27.
    assert (found["steps"], found["tokens"], found["seconds"]) == (2, 110, 7.0)
    assert found["megabytes"] == 40.0


def test_the_peak_can_be_forgotten():
    large = np.ones(40_000_000)  # 320 MB, for a moment
    del large
    before = bench_clock.resident()[1]
    bench_clock.forget_peak()
    now, peak = bench_clock.resident()
    assert peak <= before
    assert peak - now < 100
