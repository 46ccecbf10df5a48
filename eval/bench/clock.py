"""`Clock`: seconds, tokens and memory of training steps, taken the same way for every trainer."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import nn

from eval.bench.process import resident

_PEAK = Path("/proc/self/clear_refs")


class Clock:
    """Asked at the start of every training step; a step ends where the next one starts.

    Args:
        warm: Steps that are not counted.
        loaded: Resident memory with the model loaded and nothing trained yet, in MB.
    """

    def __init__(self, warm: int, loaded: float) -> None:
        self.warm, self.loaded = warm, loaded
        self.starts: list[tuple[float, float]] = []  # by the clock on the wall, and of processor time
        self.tokens: list[int] = []
        self.peak = loaded

    def step(self, tokens: int) -> None:
        """A step on this many tokens, padding not counted, is about to start."""
        if not self.starts:
            forget_peak()
        self.peak = resident()[1]
        self.tokens.append(tokens)
        self.starts.append((time.perf_counter(), time.process_time()))

    def read(self) -> dict[str, float]:
        """Of the steps counted together: `steps`, `tokens`, `seconds`, `processor_seconds`.

        The latter are of all threads, and nearly the same when others use the machine. `megabytes` is the
        peak of all steps above `loaded`.
        """
        first, last = self.starts[self.warm], self.starts[-1]
        return {
            "steps": len(self.starts) - 1 - self.warm,
            "tokens": sum(self.tokens[self.warm : -1]),
            "seconds": last[0] - first[0],
            "processor_seconds": last[1] - first[1],
            "megabytes": self.peak - self.loaded,
        }


def forget_peak() -> None:
    """Let the highest resident memory count from here, where the system can: loading a model has its own."""
    if _PEAK.exists():
        _PEAK.write_text("5")


def loaded_memory(model: nn.Module) -> float:
    """Resident memory in MB, every weight having been read: a file that is mapped counts when it is."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.sum()
    return resident()[0]
