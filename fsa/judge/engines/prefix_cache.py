"""`PrefixCache`: keys and values of prompts, computed once for what a prompt shares with the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import DynamicCache

from fsa.errors import ConfigError

Layers = list[tuple[Float[Tensor, "1 h l d"], Float[Tensor, "1 h l d"]]]
"""Keys and values of one prompt, a pair a layer."""


class PrefixCache:
    """Reads prompts one after another; the longest common start with the prompt before is not read again.

    Prompts in the order of their tokens share the most: every prefix that any of them share is then computed
    once. Nothing is padded.

    Args:
        model: A causal language model that keeps keys and values, and nothing else.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.computed = 0
        """Tokens that went through the model so far."""
        self._ids: list[int] = []
        self._layers: Layers = []

    def read(self, ids: Sequence[int]) -> Layers:
        """Keys and values of all tokens but the last, which generation starts from.

        Raises:
            ConfigError: The model keeps another kind of state.
        """
        body = list(ids[:-1])
        shared = common_start(self._ids, body)
        layers = [(keys[..., :shared, :], values[..., :shared, :]) for keys, values in self._layers]
        if shared < len(body):
            cache = cache_of(layers)
            new = torch.tensor([body[shared:]], device=self.model.device)
            self.model(new, past_key_values=cache, use_cache=True, logits_to_keep=1)
            layers = _layers_of(cache, len(body))
            self.computed += len(body) - shared
        self._ids, self._layers = body, layers
        return layers


def common_start(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two sequences begin with alike."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))


def stacked(rows: Sequence[Layers], lengths: Sequence[int]) -> DynamicCache:
    """One cache for a batch, each row moved to the right: padding stands left, as generation wants it."""
    width = max(lengths)
    layers = []
    for layer in range(len(rows[0])):
        pair = [
            torch.cat(
                [
                    torch.nn.functional.pad(row[layer][part], (0, 0, width - length, 0))
                    for row, length in zip(rows, lengths, strict=True)
                ]
            )
            for part in (0, 1)
        ]
        layers.append((pair[0], pair[1]))
    return cache_of(layers)


def cache_of(layers: Layers) -> DynamicCache:
    """A cache that holds these keys and values.

    Made without the model's configuration on purpose: layers with a sliding window then keep all they have
    seen, and what is shared can be taken out again. The model masks what is outside of the window.
    """
    cache = DynamicCache()
    for place, (keys, values) in enumerate(layers):
        cache.update(keys, values, place)
    return cache


def _layers_of(cache: DynamicCache, length: int) -> Layers:
    found = []
    for layer in cache.layers:
        keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
        if keys is None or values is None or keys.shape[-2] != length:
            raise ConfigError(
                "the model keeps more than keys and values; what prompts share cannot be reused"
            )
        found.append((keys, values))
    return found
