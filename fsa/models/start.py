"""`InitialModel`: the language model and tokenizer that a training run of all weights begins with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import transformers

from fsa.backbones import resolve
from fsa.errors import ConfigError


class ModelAndTokenizer(NamedTuple):
    """What a run begins with.

    Attributes:
        model: A causal language model in float32.
        tokenizer: Its tokenizer, which knows an end-of-text token.
    """

    model: transformers.PreTrainedModel
    tokenizer: transformers.PreTrainedTokenizerBase


class InitialModel(ABC):
    """Gives the weights and the tokenizer of step 0; cheap to make, nothing is read before `build`."""

    @abstractmethod
    def build(self, texts: Sequence[str]) -> ModelAndTokenizer:
        """The model and its tokenizer.

        Args:
            texts: Texts of the training split, in case the tokenizer is to be made from them.

        Raises:
            ConfigError: The model cannot be trained as it is.
            FeatureError: There is no such backbone.
        """


class Pretrained(InitialModel):
    """A model that is trained already.

    Args:
        backbone: "gemma-270m", a folder, or a hub id; see `fsa.backbones.resolve`.
    """

    def __init__(self, backbone: str) -> None:
        self.backbone = backbone

    def build(self, texts: Sequence[str] = ()) -> ModelAndTokenizer:
        folder = resolve(self.backbone)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if tokenizer.eos_token_id is None:
            raise ConfigError(
                f"{folder}: the tokenizer has no eos token, so no response could end; add one to it"
            )
        # Weights in float32, whatever they are stored in: AdamW's small steps are lost in bfloat16.
        options: dict[str, Any] = {
            "dtype": torch.float32,
            "use_safetensors": True,
            "trust_remote_code": False,
        }
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(folder, **options)
        except ValueError as error:  # an encoder, such as minilm
            raise ConfigError(f"{folder}: holds no causal language model: {error}") from error
        return ModelAndTokenizer(model.train(), tokenizer)
