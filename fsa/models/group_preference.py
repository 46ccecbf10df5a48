"""`GroupPreference`: a transformer in context, from the user's choices straight to the scores (GPO)."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.types import Belief, ChoiceBatch

_TARGETS_AT_ONCE = 512  # a target attends to no other target, so that they may come in parts


class GroupPreference(Scorer):
    """One token an option: its features and how it was preferred. Targets attend to the context.

    A context token holds the option's features x, its weight y in `ChoiceBatch.contrast` (+1 chosen, -1
    rejected for a pair), and y (x - m) with m the mean of its choice's options: that ties the options of a
    choice together, since there are no positions, and points to the better one. A target token holds the
    features alone, and a flag that says so. The embedding is linear: the product y (x - m) is given, not to
    be found.

    Context tokens attend to the context, a target token to the context and to itself: so targets do not see
    each other, and with an empty context the scores are one reward for all users. There is no latent: the
    belief's memory is read anew at every call.

    It is trained by the likelihood of the choices; the paper regresses preference scores, which choices lack.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not used; a belief's memory is read.
        width: Width of a token, a multiple of `heads`.
        depth: Transformer layers, each of attention and a feed-forward network of twice the width.
        heads: Attention heads.
        dropout: Share of hidden dimensions dropped in training, 0-1.
        feature_dropout: Share of feature dimensions dropped in training, 0-1.
        num_params: Scores per option, as many as the likelihood's.

    Raises:
        ConfigError: The heads do not divide the width.

    Reference:
        [Zhao2024] Group Preference Optimization, Sec. 3.2: the module and its attention mask;
        [Nguyen2022] Transformer neural processes, Sec. 3: the same mask for regression.
    """

    reads_memory: ClassVar[bool] = True

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
        feature_dropout: float = 0.1,
        num_params: int = 1,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ConfigError(f"width is {width}, which {heads} heads do not divide")
        self.heads = heads
        self.feature_dropout = nn.Dropout(feature_dropout)
        self.embed = nn.Linear(2 * d_feature + 2, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(
            layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.score = nn.Linear(width, num_params, bias=False)

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        memory = self.remembered(belief)
        context, is_there = self._context_tokens(memory), memory.option_mask.flatten(1)
        targets = self._target_tokens(choices).split(_TARGETS_AT_ONCE, 1)
        read = torch.cat([self._read(context, is_there, part) for part in targets], 1)
        scores = self.score(read).unflatten(1, choices.places.shape[1:])
        return scores.expand(len(z), -1, -1, -1, -1)

    def _context_tokens(self, memory: ChoiceBatch) -> Float[Tensor, "b c w"]:
        present = memory.option_mask.unsqueeze(-1)
        features = self.feature_dropout(torch.where(present, memory.features, 0))  # [b, n, k, d]
        beside = features.sum(2, keepdim=True) / present.sum(2, keepdim=True).clamp(min=1)
        preferred = memory.contrast().unsqueeze(-1)
        parts = [features, preferred * (features - beside), preferred, torch.zeros_like(preferred)]
        return self.embed(torch.cat(parts, -1)).flatten(1, 2)

    def _target_tokens(self, choices: ChoiceBatch) -> Float[Tensor, "b t w"]:
        features = self.feature_dropout(choices.features)
        nothing = torch.zeros_like(features[..., :1])
        parts = [features, torch.zeros_like(features), nothing, nothing + 1]
        return self.embed(torch.cat(parts, -1)).flatten(1, 2)

    def _read(
        self, context: Float[Tensor, "b c w"], is_there: Bool[Tensor, "b c"], targets: Float[Tensor, "b t w"]
    ) -> Float[Tensor, "b t w"]:
        """What the targets have become after attending to the context."""
        seen = torch.cat([is_there, is_there.new_zeros(targets.shape[:2])], 1)  # [b, c + t]
        itself = torch.eye(seen.shape[1], dtype=torch.bool, device=seen.device)
        hidden = ~(seen.unsqueeze(1) | itself).repeat_interleave(self.heads, 0)
        tokens = torch.cat([context, targets], 1)
        return self.transformer(tokens, mask=hidden)[:, context.shape[1] :]
