"""`FilmBlocks`: scale and shift of the residual stream after chosen decoder blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from fsa.conditioning.conditioning import Conditioning, Site, decoder_blocks
from fsa.errors import ConfigError


class FilmBlocks(Conditioning):
    """Turns the stream h after a block into h (1 + scale(z)) + shift(z); cannot be folded into an adapter.

    Scale and shift are linear in z and zero before training, so a new model equals its backbone. Without an
    offset, too: z = 0, knowing nothing, leaves the model as its adapters make it.

    Args:
        blocks: Numbers of the blocks, 0 the first, -1 the last; None takes all.

    Raises:
        ConfigError: A block is listed twice, or none is.

    Reference:
        [Perez2018] Eq. 1: feature-wise linear modulation.
        [Kobalczyk2024] Sec. 3: the form that the published policy uses.
    """

    def __init__(self, blocks: Sequence[int] | None = None) -> None:
        super().__init__()
        if blocks is not None and not blocks:
            raise ConfigError("blocks is empty; list some, or leave it out for all")
        self.blocks = None if blocks is None else tuple(blocks)

    def find(self, backbone: nn.Module) -> dict[str, Site]:
        found = decoder_blocks(backbone)
        names = {module: name for name, module in backbone.named_modules()}
        model: Any = backbone
        width = 2 * int(model.config.get_text_config().hidden_size)
        return {names[found[i]]: Site(found[i], width) for i in self._numbers(len(found))}

    def make_head(self, d_belief: int, width: int) -> nn.Linear:
        head = nn.Linear(d_belief, width, bias=False)
        nn.init.zeros_(head.weight)
        return head

    def steer(self, output: Float[Tensor, "m l d"], gain: Float[Tensor, "m 1 2*d"]) -> Float[Tensor, "m l d"]:
        scale, shift = gain.chunk(2, -1)
        return output * (1 + scale) + shift

    def _numbers(self, count: int) -> list[int]:
        if self.blocks is None:
            return list(range(count))
        for block in self.blocks:
            if not -count <= block < count:
                raise ConfigError(f"block {block} is not there: there are {count}, 0 to {count - 1}")
        numbers = [block % count for block in self.blocks]
        if len(set(numbers)) < len(numbers):
            raise ConfigError(f"blocks {list(self.blocks)} name one of {count} blocks twice")
        return numbers
