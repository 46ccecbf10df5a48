"""Ctrl-C and SIGTERM: when work that is under way hears of them, and how the process ends then."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(BaseException):
    """The process was asked to end. No `Exception`, so that nothing takes it for a fault and goes on.

    Args:
        signum: Number of the signal.
        advice: How to go on later.
    """

    def __init__(self, signum: int, advice: str = "") -> None:
        super().__init__(signum, advice)
        self.signum, self.advice = signum, advice

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.signum

    def __str__(self) -> str:
        name = "Ctrl-C" if self.signum == signal.SIGINT else signal.Signals(self.signum).name
        return f"ended by {name}" + (f"; {self.advice}" if self.advice else "")


class _State:
    """What the handler of the process knows."""

    is_active = False
    waiting = 0
    asked: int | None = None


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into `Interrupted` for as long as this lasts.

    At once, or where work under way has said that it looks for itself (`finishing_steps`), at its next step;
    a second signal is not made to wait. Only the main thread may set handlers; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, _on_signal) for number in numbers}
    _State.asked, was_active, _State.is_active = None, _State.is_active, True
    try:
        yield
    finally:
        _State.is_active = was_active
        if not was_active:
            _State.asked = None  # what comes after was not asked to end
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextmanager
def finishing_steps() -> Iterator[None]:
    """Inside, a first signal waits until the work asks `interrupt_asked`, so that it can save where it is."""
    _State.waiting += 1
    try:
        yield
    finally:
        _State.waiting -= 1


def take_signals_back() -> None:
    """Handle signals again where a library has put its own handlers in front (Lightning does, of SIGTERM)."""
    if _State.is_active and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _on_signal)


def interrupt_asked() -> int | None:
    """Number of the signal that waits; None where none came."""
    return _State.asked


def _on_signal(signum: int, frame: FrameType | None) -> Any:
    is_first, _State.asked = _State.asked is None, signum
    if not (_State.waiting and is_first):
        raise Interrupted(signum)
