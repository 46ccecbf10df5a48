"""`SmallLlama`: a small Llama without any training, and a tokenizer made from the training texts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from fsa.errors import ConfigError
from fsa.models.start import InitialModel, ModelAndTokenizer

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
"""Special tokens, with ids 0, 1 and 2."""


class SmallLlama(InitialModel):
    """The architecture of Llama at a size that a laptop trains in minutes.

    Args:
        width: Of the hidden states.
        layers: Decoder blocks.
        heads: Attention heads; they divide the width into even parts.
        inner: Width inside the feed-forward part; None takes 8/3 of the width, as Llama has it.
        vocabulary: Most tokens of the tokenizer; texts with fewer different words give fewer.
        max_positions: Most tokens that the model is said to read, prompt and response together.
        tied: Whether the output layer is the embedding; saves width x vocabulary weights.
        seed: Seed of the first weights.

    Raises:
        ConfigError: The numbers do not fit each other.
    """

    def __init__(
        self,
        width: int = 128,
        layers: int = 3,
        heads: int = 4,
        inner: int | None = None,
        vocabulary: int = 2048,
        max_positions: int = 512,
        tied: bool = True,
        seed: int = 0,
    ) -> None:
        if min(width, layers, heads) < 1 or width % (2 * heads):
            raise ConfigError(
                f"width is {width}, heads is {heads} and layers is {layers}; all are 1 or more, and a head "
                "is width / heads wide, an even number"
            )
        if vocabulary < 300:
            raise ConfigError(
                f"vocabulary is {vocabulary}; 256 bytes and 3 special tokens are in it, so 300 at least"
            )
        self.width, self.layers, self.heads = width, layers, heads
        self.inner = inner or round(8 * width / 3 / 8) * 8
        self.vocabulary, self.max_positions = vocabulary, max_positions
        self.tied, self.seed = tied, seed

    def build(self, texts: Sequence[str]) -> ModelAndTokenizer:
        if not texts:
            raise ConfigError("a tokenizer is made from training texts, but there are none")
        tokenizer = byte_level_bpe(texts, self.vocabulary)
        tokenizer.model_max_length = self.max_positions
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            max_position_embeddings=self.max_positions,
            tie_word_embeddings=self.tied,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return ModelAndTokenizer(LlamaForCausalLM(config), tokenizer)


def byte_level_bpe(texts: Sequence[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer made from texts; it reads and gives back any text.

    Every line break is a token of its own. Else what stands before a response would be cut into other tokens
    when the response is still to be written than when both are read.

    Args:
        texts: What merges are learned from.
        vocabulary: Most tokens, bytes and special tokens included.

    Returns:
        A tokenizer that puts BOS before a text, and leaves EOS to the caller.
    """
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, backend.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        clean_up_tokenization_spaces=False,
    )
