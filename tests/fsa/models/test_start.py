"""Backbones that a run of all weights begins with."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from fsa.errors import ConfigError
from fsa.models.small_llama import SmallLlama
from fsa.models.start import Pretrained

TEXTS = ["How do I bake bread?\n\nKnead the dough, and wait."] * 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model, tokenizer = SmallLlama(width=16, layers=1, heads=2, vocabulary=320).build(TEXTS)
    model.to(torch.bfloat16).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_a_folder_gives_its_weights_in_float32_whatever_they_are_stored_in(folder: Path):
    model, tokenizer = Pretrained(str(folder)).build()
    stored = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).state_dict()
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    assert all(torch.equal(value, stored[name].float()) for name, value in model.state_dict().items())
    assert tokenizer.eos_token == "<eos>"
    assert model.training  # its own dropout is on


def test_a_tokenizer_without_an_end_is_refused(folder: Path):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(ConfigError, match="no eos token"):
        Pretrained(str(folder)).build()


def test_a_model_that_does_not_write_is_refused(folder: Path):
    (folder / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(ConfigError, match="no causal language model"):
        Pretrained(str(folder)).build()
