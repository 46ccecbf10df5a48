"""`Averaging`: validate and keep a running mean of the weights in place of the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import WeightAveraging

_FAST = 10  # updates over which the mean forgets the weights it began with


class Averaging(WeightAveraging):
    """Lightning's running mean of weights, with a start that forgets random weights within a few steps.

    Args:
        decay: Share of the mean that stays at a step, 0-1; the mean is over about 1 / (1 - decay) steps.

    Reference:
        [Polyak1992] Acceleration of stochastic approximation by averaging.
    """

    def __init__(self, decay: float) -> None:
        def mean(average: Any, current: Any, number: Any) -> Any:
            kept = (number / (number + _FAST)).clamp(max=decay)
            return average + (current - average) * (1 - kept)

        super().__init__(use_buffers=False, avg_fn=mean)

    @contextmanager
    def in_place(self, trainer: L.Trainer, module: L.LightningModule) -> Iterator[None]:
        """The mean in place of the module's weights, as in validation."""
        self.on_validation_epoch_start(trainer, module)
        try:
            yield
        finally:
            self.on_validation_epoch_end(trainer, module)
