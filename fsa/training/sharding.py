"""Parameters split over processes: FSDP2."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy, Strategy
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

from fsa.errors import CheckpointError

# Methods beside `forward` that read parameters: these have to be gathered first.
_CALLED = ("log_prob", "best", "reference", "prior")


def strategy_of(name: str, processes: int) -> str | Strategy:
    """Lightning's strategy of a name; `fsdp` is FSDP2: parameters and optimiser split over all processes.

    Args:
        name: As Lightning has it, or `fsdp`.
        processes: How many there are in the run.
    """
    if name != "fsdp":
        return name
    # One file with all parameters, so that a run may be resumed on another number of processes.
    return _TrainedParametersOnly(
        data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False
    )


def shard(part: nn.Module, mesh: DeviceMesh) -> None:
    """Split a part's parameters over the processes of a mesh; a part without any stays as it is.

    Modules that a part names by a method `shard_units`, as a language model names its decoder blocks, are
    split on their own: the weights of one are gathered at a time, all others only while the part runs.
    Every process has to run such a module equally often.

    Args:
        part: Anything of the training module that has parameters.
        mesh: The processes, in one dimension.
    """
    if next(part.parameters(), None) is None:
        return
    module: Any
    for module in list(part.modules()):
        if hasattr(module, "shard_units"):
            for unit in module.shard_units():
                _split(unit, mesh)
    _split(part, mesh)


def _split(module: nn.Module, mesh: DeviceMesh) -> None:
    fully_shard(module, mesh=mesh)
    for name in _CALLED:
        if callable(getattr(module, name, None)):
            register_fsdp_forward_method(module, name)


class _TrainedParametersOnly(ModelParallelStrategy):
    """FSDP2 of a model whose `state_dict` leaves out frozen weights; Lightning alone would miss them."""

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        module = self.lightning_module
        assert module is not None
        saved = torch.load(checkpoint_path, map_location="cpu", mmap=True, weights_only=True)["state_dict"]
        differing = sorted(saved.keys() ^ module.state_dict().keys())
        if differing:
            where = "only in the checkpoint" if differing[0] in saved else "not in the checkpoint"
            raise CheckpointError(
                f"{checkpoint_path}: {len(differing)} tensors differ from the model's;"
                f" {differing[0]} is {where}"
            )
        was_strict, module.strict_loading = module.strict_loading, False
        try:
            return super().load_checkpoint(checkpoint_path, weights_only)
        finally:
            module.strict_loading = was_strict
