"""`RatesAsAsked`: a resumed run takes its learning rates from its settings, not from its checkpoint."""

from __future__ import annotations

from typing import Any, cast

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch.optim.lr_scheduler import LambdaLR


class RatesAsAsked(Callback):
    """Sets what settings decide of an optimiser (rates, decay, betas, schedule) anew after a checkpoint.

    Unchanged settings give the very numbers that the checkpoint holds, so that a run which was cut off goes
    on bit for bit.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        settings: Any = getattr(pl_module, "optimizer", None)
        if not trainer.global_step or settings is None or len(trainer.optimizers) != 1:
            return
        fresh, schedule = settings.build(pl_module, trainer.max_steps)
        kept, restored = trainer.optimizers[0], cast(LambdaLR, trainer.lr_scheduler_configs[0].scheduler)
        restored.base_lrs = list(schedule.base_lrs)
        factors = [rate(restored.last_epoch) for rate in restored.lr_lambdas]
        for group, asked, base, factor in zip(
            kept.param_groups, fresh.param_groups, schedule.base_lrs, factors, strict=True
        ):
            group |= {name: value for name, value in asked.items() if name not in ("params", "lr")}
            group["lr"] = base * factor
        restored._last_lr = [group["lr"] for group in kept.param_groups]
