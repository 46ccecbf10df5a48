"""Choices that a test writes down in one line."""

import torch

from fsa.types import ChoiceBatch


def pairs(*differences: list[float]) -> ChoiceBatch:
    """One user's pairs, the first option chosen, whose features are these and zeros."""
    better = torch.tensor([differences])
    features = torch.stack([better, torch.zeros_like(better)], 2)
    places = torch.tensor([0, 1]).expand(1, len(differences), 2)
    return ChoiceBatch(features, places, torch.arange(len(differences))[None])
