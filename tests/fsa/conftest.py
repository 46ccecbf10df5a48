"""Tiny backbones with random weights, saved as a user's own folder would be."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from fsa.outputs.policy import Policy
from tests.factories.policies import make_policy

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = [f"w{i}" for i in range(60)] + ["user", "assistant", ":", "a", "b"]
CHAT_TEMPLATE = (
    "[CLS]{% for message in messages %}"
    "{{ message['role'] }} : {{ message['content'] | trim }} [SEP] "
    "{% endfor %}"
)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees another's features, or the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FSA_CACHE", str(folder))
    return folder


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    """One token a word; [CLS] words [SEP]."""
    vocabulary = {word: number for number, word in enumerate(SPECIAL + WORDS)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        bos_token="[CLS]",
        eos_token="[SEP]",
    )


@pytest.fixture
def bert(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> Path:
    """16 wide, bidirectional, at most 64 tokens."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    return _save(BertModel(config), tokenizer, tmp_path / "bert")


@pytest.fixture
def llama(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> Path:
    """16 wide, causal, with a chat template."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        max_position_embeddings=256,
        initializer_range=0.5,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return _save(LlamaForCausalLM(config), tokenizer, tmp_path / "llama")


def _save(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def policy(llama: Path) -> Policy:
    """With random weights over the small Llama."""
    return make_policy(llama)
