"""`ConstrainedSampling`: lets a transformers model write nothing but JSON of a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LogitsProcessor, PreTrainedTokenizerFast

from fsa.errors import ConfigError

# Written as json.dumps writes it, so that examples and answers look alike.
_WRITTEN: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class Grammars:
    """Compiles schemas for one tokenizer, each once.

    Args:
        tokenizer: A fast one, whose tokens spell bytes or characters.
        vocabulary: Width of the model's logits.

    Raises:
        ConfigError: llguidance is not installed, or cannot read the tokenizer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> None:
        try:
            import llguidance
            import llguidance.hf
        except ImportError as error:
            raise ConfigError(
                'constrained output needs a package: pip install "fsa[judge]" (llguidance)'
            ) from error
        try:
            self._tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocabulary)
        except ValueError as error:
            raise ConfigError(f"output cannot be constrained with this tokenizer: {error}") from error
        self._matcher = llguidance.LLMatcher
        self._fresh: dict[str, Any] = {}

    def matcher(self, schema: Mapping[str, Any]) -> Any:
        """A llguidance matcher at the start of an answer.

        Raises:
            ConfigError: The schema cannot be made into a grammar.
        """
        name = json.dumps(schema)  # in the order of its properties, which is the order of the answer
        if name not in self._fresh:
            grammar = self._matcher.grammar_from_json_schema(name, overrides=_WRITTEN)
            self._fresh[name] = self._matcher(self._tokenizer, grammar, log_level=0)
        matcher = self._fresh[name].deep_copy()
        if matcher.is_error():
            raise ConfigError(f"output cannot be constrained to a schema: {matcher.get_error()}")
        return matcher


class ConstrainedSampling(LogitsProcessor):
    """Leaves one token a row possible: the one that is sampled among those that the schema allows.

    Sampling is here, and generation greedy, because a row's sample then comes from its own seed and does not
    depend on the rows beside it.

    Args:
        matchers: One a row, at the start of an answer.
        seeds: One a row.
        temperature: 0 takes the likeliest token; 1 samples as the model would.
    """

    def __init__(self, matchers: Sequence[Any], seeds: Sequence[int], temperature: float) -> None:
        self.matchers, self.temperature = matchers, temperature
        self._noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._width: int | None = None

    def __call__(self, input_ids: Int[Tensor, "b l"], scores: Float[Tensor, "b v"]) -> Float[Tensor, "b v"]:
        if self._width is not None:
            for matcher, token in zip(self.matchers, input_ids[:, -1].tolist(), strict=True):
                if not matcher.is_stopped():
                    matcher.consume_token(token)
        self._width = input_ids.shape[1]
        rows = [np.frombuffer(matcher.compute_logit_bias(), np.uint8) for matcher in self.matchers]
        allowed = torch.from_numpy(np.stack(rows)[:, : scores.shape[1]] > 0)
        scores = scores.masked_fill(~allowed.to(scores.device), -torch.inf)
        if self.temperature == 0:
            return scores
        # Noise whose largest sum with log-probabilities is a sample of them [Gumbel1954].
        drawn = [torch.rand(scores.shape[1], generator=each).clamp(min=1e-20) for each in self._noise]
        return scores / self.temperature - torch.log(-torch.log(torch.stack(drawn))).to(scores)
