"""`torch_device`: what a name of a device means on this machine."""

from __future__ import annotations

import torch


def torch_device(name: str = "auto") -> torch.device:
    """A device by its name.

    Args:
        name: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".

    Raises:
        RuntimeError: torch knows no such device.
    """
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
