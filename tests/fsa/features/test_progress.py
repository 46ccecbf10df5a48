import fsa.features.progress as progress
from fsa.features.progress import SlowBar


def test_a_bar_appears_only_where_something_takes_long(monkeypatch):
    now = iter([0.0, 1.0, 3.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with SlowBar("reading", 10, enabled=True) as bar:
        bar.advance(2, 50)
        assert bar._bar is None
        bar.advance(3, 70)
        assert bar._bar is not None
        assert bar._bar.tasks[0].completed == 5
        assert bar._bar.tasks[0].fields["speed"] == "40 tokens/s"  # 120 in 3 s
    assert bar._bar.finished is False
    assert not bar._bar.live.is_started


def test_one_that_is_not_wanted_never_appears(monkeypatch):
    now = iter([0.0, 100.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with SlowBar("reading", 10, enabled=False) as bar:
        bar.advance(2, 50)
    assert (bar._bar, bar.texts, bar.tokens) == (None, 2, 50)
