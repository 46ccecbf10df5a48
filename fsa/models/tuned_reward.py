"""`TunedReward`: the head of another run, on the hidden states of its backbone with adapters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.features.pooling import pool
from fsa.models.language_scorer import LanguageScorer
from fsa.models.scorer import Scorer, Spread
from fsa.models.taste_reward import TasteReward
from fsa.predictive import Predictive
from fsa.types import Belief, ChoiceBatch, TokenRows


class TunedReward(LanguageScorer):
    """The head of another run, and what it reads trained from there: at first its rewards are the head's.

    The head is `TasteReward` with the encoder's maps. It reads what it was fitted on, the same tokens,
    pooling, projection and measures, but hidden states of the backbone with LoRA adapters, steered by the
    mean of the belief. Adapters start at zero, and the weights before the first step count as a validation:
    on validation a run ends no worse than its head. Choices are read by frozen features, as the encoder
    learned to.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        model: Arguments of `LanguageScorer`. `backbone` is that of the features, which also say how many
            tokens are read.

    Raises:
        ConfigError: The encoder has no maps to score with.

    Reference:
        [Kumar2022] Sec. 4: fitting the head before what it reads is tuned keeps what was pretrained.
    """

    reads_features: ClassVar[bool] = True
    runs_per_latent: ClassVar[bool] = False
    starts_fitted: ClassVar[bool] = True
    centre: Float[Tensor, " w"]
    components: Float[Tensor, "w c"]

    def __init__(self, d_feature: int, d_belief: int, **model: Any) -> None:
        super().__init__(d_feature, d_belief, **model)
        self.head = TasteReward(d_feature, d_belief)
        self.pooling = "mean"
        # Kept with the projection, not here.
        self.register_buffer("centre", torch.zeros(0), persistent=False)
        self.register_buffer("components", torch.zeros(0, 0), persistent=False)

    def bind(self, encoder: nn.Module) -> None:
        self.head.bind(encoder)
        if self.head.population is not None:
            raise ConfigError(
                f"{type(encoder).__name__} has no maps that {type(self).__name__} could score with;"
                " choose the encoder fsa.encoders.taste_posterior.TastePosterior"
            )

    def begin_with(self, scorer: Scorer) -> None:
        if isinstance(scorer, TasteReward):
            self.head.factor, self.head.width = scorer.factor, scorer.width

    def pool_as(self, pooling: str, centre: Float[Tensor, " w"], components: Float[Tensor, "w c"]) -> None:
        """Take over how frozen features are made of hidden states.

        Args:
            pooling: See `fsa.features.pooling.pool`.
            centre: Subtracted from what is pooled.
            components: What that is then multiplied by.

        Raises:
            ConfigError: The backbone gives states of another width.
        """
        width = self.language_model.head.shape[1] * len(pooling.split("+"))
        if len(centre) != width:
            raise ConfigError(
                f"features are {len(centre)} wide, but {pooling} of the backbone is {width} wide"
            )
        self.pooling, self.centre, self.components = pooling, centre.float(), components.float()

    def score_rows(self, block: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, "m c"]:
        """Projected states in place of scores: what the head reads."""
        hidden = self.language_model.hidden(block.ids, block.mask, z)
        pooled = pool(hidden, block.mask.long(), self.pooling)
        with torch.autocast(pooled.device.type, enabled=False):  # as exact as the head was fitted on
            projected: Tensor = (pooled - self.centre) @ self.components
        return projected

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        scores: Tensor = self.head(self._read(choices, belief), z, belief)
        return scores

    def predictive(self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]) -> Predictive:
        return self.head.predictive(self._read(choices, belief), belief, noise)

    def spread(self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]) -> Spread:
        return self.head.spread(self._read(choices, belief), belief, noise)

    def predictive_and_spread(
        self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]
    ) -> tuple[Predictive, Spread]:
        return self.head.predictive_and_spread(self._read(choices, belief), belief, noise)

    def _read(self, choices: ChoiceBatch, belief: Belief) -> ChoiceBatch:
        """The options with features of the adapted backbone; measures of their texts stay."""
        components = super().forward(choices, belief.mean.unsqueeze(0), belief)[0]  # [b, n, k, c]
        dtype = next(self.head.maps[0].parameters()).dtype  # double in a model that scores
        measures = choices.features[..., components.shape[-1] :]
        features = torch.cat([components.to(dtype), measures.to(dtype)], -1)
        return replace(choices, features=features, repeats=None)
