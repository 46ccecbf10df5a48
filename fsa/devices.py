"""`torch_device` and `torch_dtype`: what names of a device and of a type of weights mean."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

from fsa.errors import ConfigError

Dtype: TypeAlias = Literal["float32", "bfloat16"]


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


def torch_dtype(name: str) -> torch.dtype:
    """A type of weights by its name, "float32" or "bfloat16".

    Raises:
        ConfigError: It is another name.
    """
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in known:
        raise ConfigError(f"dtype is {name!r}; it is one of {', '.join(known)}")
    return known[name]
