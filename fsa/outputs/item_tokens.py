"""Tokens for scorers that run a language model: of a whole table to train on, of a few texts to score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import transformers
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from fsa.backbones import resolve
from fsa.choices.table import ChoiceTable
from fsa.episodes.tokens import ItemTokens
from fsa.errors import ConfigError, FeatureError
from fsa.features.buckets import padded
from fsa.features.extractor import FeatureExtractor
from fsa.features.hidden_state import HiddenState
from fsa.features.log_prob import LogProb
from fsa.features.projection import Projection
from fsa.features.response_tokens import prompt_tokens, response_tokens
from fsa.models.language_scorer import LanguageScorer
from fsa.models.tuned_reward import TunedReward
from fsa.types import Numbers, Text, TokenRows, is_numbers

_BLOCKS = 4  # of rows near in length, that a few texts come in


class Texts:
    """Texts as one language scorer reads them.

    Args:
        scorer: Its tokenizer, and the most tokens that it takes.
    """

    def __init__(self, scorer: LanguageScorer) -> None:
        self.tokenizer: transformers.PreTrainedTokenizerBase = scorer.language_model.tokenizer
        self.max_tokens = scorer.max_tokens

    def items(self, prompts: Sequence[Text], responses: Sequence[Text]) -> ItemTokens:
        """Tokens of responses to prompts, without a reference."""
        made = response_tokens(self.tokenizer, prompts, responses, max_tokens=self.max_tokens)
        return ItemTokens.of([each.ids for each in made], [each.start for each in made])

    def rows(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], slots: NDArray[np.integer]
    ) -> TokenRows:
        """Responses to prompts as rows of one batch, each in its slot; see `only_text`."""
        everything = np.arange(len(prompts))
        return self.items(prompts, only_text(responses)).rows(everything, slots, min(_BLOCKS, len(prompts)))

    def prompts(self, prompts: Sequence[Text]) -> tuple[Int[Tensor, "m l"], Bool[Tensor, "m l"]]:
        """Prompts to be answered, padded on the left, and where their tokens are."""
        rows = prompt_tokens(self.tokenizer, prompts, max_tokens=self.max_tokens)
        ids, mask = padded(rows, 0, "left")
        return ids, mask.bool()


class FeatureTexts(Texts):
    """Texts as frozen features are made of them, for a scorer that makes these features anew.

    Args:
        scorer: Its tokenizer.
        features: What says which tokens are read.
    """

    def __init__(self, scorer: LanguageScorer, features: HiddenState) -> None:
        super().__init__(scorer)
        self.features = features

    def items(self, prompts: Sequence[Text], responses: Sequence[Text]) -> ItemTokens:
        return ItemTokens.whole([each.ids for each in self.features.tokens(prompts, responses)])


def texts_of(scorer: LanguageScorer, features: FeatureExtractor) -> Texts:
    """How a language scorer reads texts."""
    if isinstance(scorer, TunedReward):
        return FeatureTexts(scorer, _hidden_states(scorer, features))
    return Texts(scorer)


def read_alike(scorer: LanguageScorer, features: FeatureExtractor, projection: Projection) -> None:
    """Let a scorer that makes features anew make them as they were made; nothing for other scorers.

    Raises:
        ConfigError: The features are none of its backbone's hidden states.
    """
    if isinstance(scorer, TunedReward):
        made, tensors = _hidden_states(scorer, features), projection.tensors()
        parts = (torch.from_numpy(tensors[name]) for name in ("centre", "components"))
        scorer.pool_as(made.pooling, *parts)


def _hidden_states(scorer: LanguageScorer, features: FeatureExtractor) -> HiddenState:
    name = scorer.language_model.name
    if not isinstance(features, HiddenState) or resolve(features.backbone) != scorer.language_model.folder:
        of = getattr(features, "backbone", type(features).__name__)
        raise ConfigError(
            f"scorer.backbone is {name!r}, but the head reads features of {of!r}: a head is tuned on the "
            "hidden states of its own backbone"
        )
    return features


def item_tokens(
    table: ChoiceTable, scorer: LanguageScorer, texts: Texts | None = None, progress: bool = True
) -> ItemTokens:
    """Tokens of every item that a table offers, and where the scorer needs one their reference.

    The reference's log-probabilities are computed once and kept on the disk, before training: no second copy
    of the model is there while it trains.

    Args:
        table: The items.
        scorer: What reads them.
        texts: How they are read; None for `Texts(scorer)`.
        progress: Show a progress bar.
    """
    used = table.items_used
    prompts = [table.text(int(number)) for number in table.item_prompt[used]]
    responses = only_text([table.response(int(item)) for item in used])
    read = (texts or Texts(scorer)).items(prompts, responses)
    ids: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * table.num_items
    start = np.zeros(table.num_items, np.int64)
    for place, item in enumerate(used):
        ids[item] = read.ids[read.offsets[place] : read.offsets[place + 1]]
    start[used] = read.start
    tokens = ItemTokens.of(ids, start.tolist())
    if not scorer.needs_reference:
        return tokens
    reference = np.full(table.num_items, np.nan, np.float32)
    model = LogProb(scorer.language_model.name, max_tokens=scorer.max_tokens, dtype=scorer.dtype)
    with _as_reference(scorer, model):
        reference[used] = model.extract(prompts, responses, progress=progress)[:, 0]
    return tokens.with_reference(reference)


@contextmanager
def _as_reference(scorer: Any, model: LogProb) -> Iterator[None]:
    """Let the scorer's own backbone, adapters off, compute what is not in the store: it is loaded already."""
    device, was_training = next(scorer.parameters()).device, scorer.training
    model.compute = scorer.reference
    try:
        scorer.eval().to(model.torch_device)
        yield
    finally:
        scorer.train(was_training).to(device)


def only_text(responses: Sequence[Text | Numbers]) -> list[Text]:
    """Responses, where all are text.

    Raises:
        FeatureError: One is numbers, which no language model reads.
    """
    for response in responses:
        if is_numbers(response):
            raise FeatureError(f"a response is numbers, {response}; a language model reads text")
    return list(responses)  # type: ignore[arg-type]
