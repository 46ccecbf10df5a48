"""`NextTokenModule`: the training step of a plain language model."""

from __future__ import annotations

from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from fsa.training.noise import seed_torch
from fsa.training.optimizers import AdamW
from fsa.training.sft_data import SequenceBatch
from fsa.training.sharding import shard

_DROPOUT = 103  # what the numbers are for; see fsa.training.noise


class NextTokenModule(L.LightningModule):
    """Minimises the mean negative log-likelihood of the tokens that count.

    Logs `validation/nll`: nats per response token, over all responses of the validation batches.

    Args:
        next_token: Gives the summed negative log-likelihood of (ids, counts), in nats.
        optimizer: How it is minimised.
        seed: Seed of the run; dropout comes from (seed, batch, rank), so that a resumed run needs no state.
    """

    def __init__(self, next_token: nn.Module, optimizer: AdamW, seed: int = 0) -> None:
        super().__init__()
        self.next_token, self.optimizer, self.seed = next_token, optimizer, seed
        self._total = torch.zeros(2, dtype=torch.float64)  # nats, tokens

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Negative log-likelihood of what counts in a batch, in nats, summed."""
        return self.next_token(batch.ids, batch.counts)

    def on_train_batch_start(self, batch: SequenceBatch, batch_idx: int) -> None:
        # The whole run is one epoch, so this is the batch's number in the run, also after resuming.
        seed_torch(self.device, self.seed, _DROPOUT, batch_idx, self.global_rank)

    def training_step(self, batch: SequenceBatch, batch_idx: int) -> Tensor:
        loss = self(batch) * batch.weight
        self.log("train/loss", loss.detach(), prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        self._total = torch.zeros(2, dtype=torch.float64)

    def validation_step(self, batch: SequenceBatch, batch_idx: int) -> None:
        is_there = (batch.weight > 0).double()
        self._total += (torch.stack([self(batch).double(), batch.counts.sum().double()]) * is_there).cpu()

    def on_validation_epoch_end(self) -> None:
        nats, tokens = self.trainer.strategy.reduce(self._total.to(self.device), reduce_op="sum")
        self.log("validation/nll", (nats / tokens.clamp(min=1)).float(), prog_bar=True)

    def configure_model(self) -> None:
        """Split parameters over the processes, where the strategy is FSDP2; else nothing."""
        mesh = self.device_mesh
        if mesh is not None:
            shard(self.next_token, mesh["data_parallel"])

    def configure_optimizers(self) -> Any:
        optimizer, scheduler = self.optimizer.build(self, self.trainer.max_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
