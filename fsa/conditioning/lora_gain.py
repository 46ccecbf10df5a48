"""`LoraGain`: one gain per rank and adapted layer; folds away into an ordinary adapter."""

from __future__ import annotations

from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from fsa.conditioning.conditioning import Conditioning, Site
from fsa.errors import ConfigError

_ADAPTERS = ("lora_A", "lora_embedding_A")


class LoraGain(Conditioning):
    """Scales each rank of each LoRA layer: dW(z) = (alpha / r) B diag(shared + g(z)) A, with g linear in z.

    B is zero before training, so a new model equals its backbone. The head is not: were g zero as well, the
    encoder would get no gradient for two steps. For a fixed person, B diag(1 + g) is a plain adapter's B.

    Args:
        std: Spread of the head's first weights, > 0. Larger tells people apart sooner, and more roughly.
        shared: Share of the adapter that acts on all people. At 1 an unknown person (z = 0) gets what people
            have in common; at 0 the reference itself, and the opposite belief is the opposite change of
            weights.

    Raises:
        ConfigError: `std` is not above 0.

    Reference:
        [Kobalczyk2024] Sec. 3 conditions parameters on z; the low rank is this package's own.
    """

    can_fold: ClassVar[bool] = True

    def __init__(self, std: float = 0.05, shared: float = 1.0) -> None:
        super().__init__()
        if std <= 0:
            raise ConfigError(f"std is {std}; it is above 0, or nothing reaches the encoder for two steps")
        self.std, self.shared = std, shared

    def find(self, backbone: nn.Module) -> dict[str, Site]:
        adapted = [(n, m) for n, m in backbone.named_modules() if any(hasattr(m, a) for a in _ADAPTERS)]
        if not adapted:
            raise ConfigError(f"{type(backbone).__name__} has no LoRA layer to condition")
        return {name: _site(name, layer) for name, layer in adapted}

    def make_head(self, d_belief: int, width: int) -> nn.Linear:
        head = nn.Linear(d_belief, width, bias=False)  # z = 0, knowing nothing, is the plain adapter
        nn.init.normal_(head.weight, std=self.std)
        return head

    def prepare(self, gains: Float[Tensor, "m w"]) -> Float[Tensor, "m w"]:
        return self.shared + gains

    def steer(self, output: Float[Tensor, "m l r"], gain: Float[Tensor, "m 1 r"]) -> Float[Tensor, "m l r"]:
        return output * gain


def _site(name: str, layer: Any) -> Site:
    base = layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer
    if not isinstance(base, nn.Linear):
        raise ConfigError(
            f"{name} is a {type(base).__name__}, and gains act on adapters of nn.Linear alone;"
            " leave it out of the targets"
        )
    if getattr(layer, "lora_variant", None) or any(layer.use_dora.values()):
        raise ConfigError(f"{name} is adapted by a variant of LoRA, such as DoRA; only plain LoRA has gains")
    if len(layer.lora_A) != 1:
        raise ConfigError(f"{name} has {len(layer.lora_A)} adapters; gains act on one")
    (first,) = layer.lora_A.values()
    return Site(first, first.out_features)
