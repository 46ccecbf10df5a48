"""One user's choices from nothing but the places of their options."""

import torch

from fsa.batches import ChoiceBatch


def batch(places: list, width: int = 1) -> ChoiceBatch:
    """One user's choices, with features that number the options."""
    tensor = torch.tensor(places).unsqueeze(0)
    features = torch.arange(float(tensor.numel() * width)).reshape(*tensor.shape, width)
    return ChoiceBatch(features, tensor, torch.where((tensor >= 0).any(-1), 0, -1))
