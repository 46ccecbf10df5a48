"""FSDP2 of a part with frozen weights that it does not save: cut off, resumed, and refused."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from fsa.errors import CheckpointError
from fsa.training.sharding import shard, strategy_of
from tests.factories.torchrun import both


class HalfFrozen(nn.Module):
    """Two blocks, each a frozen layer and a trained one; only the trained ones are saved."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)) for _ in range(2)
        )
        for block in self.blocks:
            block[0].requires_grad_(False)
        self.register_state_dict_post_hook(drop_frozen)

    def shard_units(self) -> list[nn.Module]:
        return list(self.blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = x + block(x)
        return x


def drop_frozen(module: nn.Module, state: dict, prefix: str, metadata: object) -> None:
    for number in (0, 1):
        for name in ("weight", "bias"):
            del state[f"{prefix}blocks.{number}.0.{name}"]


class Stream(torch.utils.data.IterableDataset):
    """Batches of eight rows without end, from any of them on; a process gets its share of the rows."""

    def __init__(self, first: int, processes: int) -> None:
        self.first, self.processes = first, processes

    def __iter__(self) -> Iterator[torch.Tensor]:
        rank = int(os.environ.get("RANK", 0))
        for number in count(self.first):
            rows = torch.randn(8, 4, generator=torch.Generator().manual_seed(number))
            yield rows[rank :: self.processes]


class Training(L.LightningModule):
    def __init__(self, seed: int = 0, extra: bool = False) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.part = HalfFrozen()
        if extra:
            self.extra = nn.Linear(2, 2)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return (self.part(batch) - batch.flip(1)).square().mean()

    def configure_model(self) -> None:
        if self.device_mesh is not None:
            shard(self.part, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW([p for p in self.parameters() if p.requires_grad], lr=0.05)


def fit(strategy: str, steps: int, start: Path | None = None, end: Path | None = None, **module) -> dict:
    """Trained weights after some steps of eight rows each, shared out over the processes."""
    processes = 2 if strategy == "fsdp" else 1
    done = int(torch.load(start, weights_only=True)["global_step"]) if start else 0
    trainer = L.Trainer(
        accelerator="cpu",
        devices=processes,
        strategy=strategy_of(strategy, processes),
        max_steps=steps,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    training = Training(**module)
    trainer.fit(
        training, torch.utils.data.DataLoader(Stream(done, processes), batch_size=None), ckpt_path=start
    )
    weights = trainer.strategy.lightning_module_state_dict()
    if end is not None:
        trainer.save_checkpoint(end)
    return dict(weights)


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, torch.Tensor]]:
    """Weights in two processes on gloo: straight on, and cut off and resumed."""
    out = tmp_path_factory.mktemp("two")
    both(in_each, out)
    return torch.load(out / "weights.pt", weights_only=True)


@pytest.mark.slow
def test_units_split_on_their_own_take_the_steps_of_one_process(of_two: dict):
    one = fit("auto", 6)
    assert set(one) == {f"part.blocks.{i}.2.{name}" for i in (0, 1) for name in ("weight", "bias")}
    assert_close(of_two["straight"], one, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_run_that_saved_no_frozen_weight_goes_on_to_the_bit(of_two: dict):
    assert_close(of_two["resumed"], of_two["straight"], atol=0, rtol=0)


@pytest.mark.slow
def test_a_checkpoint_of_another_model_is_refused_by_a_tensors_name(of_two: dict):
    assert "2 tensors differ" in of_two["refused"]
    assert "extra.bias is not in the checkpoint" in of_two["refused"]


def in_each(folder: Path) -> None:
    """What each of two processes does."""
    result: dict = {"straight": fit("fsdp", 6)}
    fit("fsdp", 3, end=folder / "half.ckpt")
    result["resumed"] = fit("fsdp", 6, start=folder / "half.ckpt")
    with pytest.raises(CheckpointError) as caught:
        fit("fsdp", 6, start=folder / "half.ckpt", extra=True)
    result["refused"] = str(caught.value)
    if os.environ["RANK"] == "0":
        torch.save(result, folder / "weights.pt")
