"""`LanguageScorer`: base of the scorers that run a whole language model steered by the belief."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.backbones import Attention, Dtype
from fsa.conditioning.conditioning import Conditioning
from fsa.errors import ConfigError
from fsa.models.backbone import LanguageModel
from fsa.models.scorer import Scorer
from fsa.models.taste_reward import TasteReward
from fsa.types import Belief, ChoiceBatch, TokenRows


class LanguageScorer(Scorer):
    """Scores options by a language model whose LoRA adapters the belief steers; reads tokens, not features.

    Args:
        d_feature: Not used: the options come as tokens.
        d_belief: Width of the belief.
        backbone: The frozen model: a name, a folder, or a hub id.
        conditioning: How a belief acts on the model's weights.
        rank: Rank of the adapters.
        alpha: Scale of the adapters: dW = (alpha / rank) B A.
        targets: Names of the adapted layers, or "all-linear".
        lora_dropout: Share of an adapter's inputs dropped in training, 0-1.
        gradient_checkpointing: Compute activations again in the backward pass: less memory, a third slower.
        dtype: Of the frozen weights; what is trained is float32 in any case.
        attn_implementation: As in transformers: "sdpa" (its own choice) or "eager", which trains short texts
            on CPUs a quarter faster and needs memory by the square of a text's length.
        max_tokens: Most tokens of a prompt with its response; the prompt is cut from the left.
    """

    reads_tokens: ClassVar[bool] = True
    needs_reference: ClassVar[bool] = False
    runs_per_latent: ClassVar[bool] = True

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        *,
        backbone: str,
        conditioning: Conditioning,
        rank: int = 8,
        alpha: float = 16.0,
        targets: list[str] | str = "all-linear",
        lora_dropout: float = 0.0,
        gradient_checkpointing: bool = False,
        dtype: Dtype = "float32",
        attn_implementation: Attention | None = None,
        max_tokens: int = 512,
    ) -> None:
        super().__init__()
        self.max_tokens, self.dtype = max_tokens, dtype
        self.language_model = LanguageModel(
            backbone,
            d_belief,
            conditioning,
            rank=rank,
            alpha=alpha,
            targets=targets,
            lora_dropout=lora_dropout,
            gradient_checkpointing=gradient_checkpointing,
            dtype=dtype,
            attn_implementation=attn_implementation,
        )

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        tokens = choices.tokens
        if tokens is None:
            raise ConfigError(f"{type(self).__name__} reads tokens, but the choices came without any")
        per_user = choices.places[0].numel()
        owner = tokens.slot // per_user  # [m]
        samples = []
        for latent in z.float():
            rows = latent[owner]  # [m, z]
            scored = [self.score_rows(block, rows[first:last]) for first, last, block in tokens.each_block()]
            values = torch.cat(scored)  # [m, p]
            empty = values.new_zeros(choices.places.numel(), values.shape[1])
            samples.append(empty.index_copy(0, tokens.slot, values).unflatten(0, choices.places.shape))
        return torch.stack(samples)

    def by_features(self, encoder: nn.Module) -> Scorer:
        """The reward that the encoder itself reads choices by; it has one where it weighs choices."""
        with torch.device("meta"):  # maps of its own are not kept, whatever their size
            reward = TasteReward(1, 1)
        reward.bind(encoder)
        return reward

    @abstractmethod
    def score_rows(self, block: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, "m p"]:
        """Scores of some rows, each under its own latent."""
