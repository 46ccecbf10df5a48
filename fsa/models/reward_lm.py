"""`RewardLM`: a reward from the whole language model, its weights steered by the belief."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from fsa.models.language_scorer import LanguageScorer
from fsa.types import TokenRows


class RewardLM(LanguageScorer):
    """A linear head on the hidden state of the last token, trained end to end with the adapters.

    Args:
        d_feature: Not used: the options come as tokens.
        d_belief: Width of the belief.
        num_params: Scores per option, as many as the likelihood's.
        normalize: Layer norm of the hidden state before the head, for hidden states differ in scale by
            backbone. False leaves a plain head, which `person.save_reward` can write as an adapter.
        model: Arguments of `LanguageScorer`: `backbone`, `conditioning`, `rank` and so on.

    Reference:
        [Kobalczyk2024] Sec. 3: a reward model conditioned on z in its parameters.
    """

    def __init__(
        self, d_feature: int, d_belief: int, *, num_params: int = 1, normalize: bool = True, **model: Any
    ) -> None:
        super().__init__(d_feature, d_belief, **model)
        width = self.language_model.head.shape[1]
        self.norm = nn.LayerNorm(width, elementwise_affine=False) if normalize else nn.Identity()
        self.reward = nn.Linear(width, num_params, bias=False)
        nn.init.normal_(self.reward.weight, std=width**-0.5)

    def score_rows(self, block: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, "m p"]:
        hidden = self.language_model.hidden(block.ids, block.mask, z)  # [m, l, d]
        last = block.mask.sum(-1) - 1  # rows are padded on the right
        at_end = hidden.take_along_dim(last[:, None, None], 1).squeeze(1)
        reward: Tensor = self.reward(self.norm(at_end.float()))
        return reward
