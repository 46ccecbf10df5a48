"""The loss of a plain language model, beside torch's own on the model's own logits."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close
from transformers import BertConfig, BertLMHeadModel, Gemma2Config, Gemma2ForCausalLM, LlamaForCausalLM

from fsa.errors import ConfigError
from fsa.models.next_token import NextToken
from fsa.models.small_llama import SmallLlama


@pytest.fixture
def model() -> LlamaForCausalLM:
    model, _ = SmallLlama(width=16, layers=2, heads=2, vocabulary=300).build(["a b"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5)  # so that tokens differ in how likely they are
    return model


IDS = torch.tensor([[1, 40, 50, 60, 2], [1, 70, 80, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()
COUNTS = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0]]).bool()


@pytest.mark.parametrize("chunk", [None, 1, 2, 100])
def test_the_sum_is_torchs_cross_entropy_of_what_counts(model: LlamaForCausalLM, chunk: int | None):
    logits = model(input_ids=IDS, attention_mask=MASK.long()).logits
    rows = [(0, 2), (0, 3), (0, 4), (1, 1), (1, 2)]
    expected = sum(functional.cross_entropy(logits[m, at - 1], IDS[m, at]) for m, at in rows)
    assert_close(NextToken(model, chunk=chunk)(IDS, COUNTS), expected)


def test_what_stands_in_padding_does_not_matter(model: LlamaForCausalLM):
    next_token = NextToken(model)
    other = torch.where(MASK, IDS, 123)
    assert torch.equal(next_token(IDS, COUNTS), next_token(other, COUNTS))


def gradients(next_token: NextToken) -> dict[str, torch.Tensor]:
    next_token.zero_grad()
    next_token.train()(IDS, COUNTS).backward()
    return {name: p.grad.clone() for name, p in next_token.named_parameters()}


def test_gradients_are_those_of_the_models_own_logits_with_checkpointing_and_without(model: LlamaForCausalLM):
    logits = model(input_ids=IDS, attention_mask=MASK.long()).logits[:, :-1]
    counted = COUNTS[:, 1:]
    functional.cross_entropy(logits[counted], IDS[:, 1:][counted], reduction="sum").backward()
    expected = {f"model.{name}": p.grad.clone() for name, p in model.named_parameters()}
    assert_close(gradients(NextToken(model)), expected)
    assert_close(gradients(NextToken(model, gradient_checkpointing=True)), expected)


def test_nothing_that_counts_is_zero_and_has_gradients(model: LlamaForCausalLM):
    """A process whose share of a step is empty."""
    nll = NextToken(model)(IDS, torch.zeros_like(MASK))
    nll.backward()
    assert float(nll.detach()) == 0
    assert all(p.grad is not None and not p.grad.any() for p in model.parameters())


def test_a_cap_on_logits_is_refused():
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = Gemma2Config(
        vocab_size=50, head_dim=8, num_key_value_heads=2, **sizes, final_logit_softcapping=0.1
    )
    with pytest.raises(ConfigError, match="Gemma2ForCausalLM caps its logits"):
        NextToken(Gemma2ForCausalLM(config))


def test_a_bias_of_the_output_layer_is_refused(model: LlamaForCausalLM):
    model.lm_head = nn.Linear(16, len(model.get_output_embeddings().weight))
    nn.init.ones_(model.lm_head.bias)
    with pytest.raises(ConfigError, match="bias"):
        NextToken(model)


def test_an_encoder_is_refused():
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    with pytest.raises(ConfigError, match="BertLMHeadModel has no output layer, or a bias"):
        NextToken(BertLMHeadModel(BertConfig(vocab_size=50, initializer_range=0.5, **sizes)))
