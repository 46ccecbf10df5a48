"""Rank gains: by hand, folded into an ordinary adapter, and what they refuse."""

import copy
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from torch.testing import assert_close
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, MixtralConfig, MixtralForCausalLM

from fsa.conditioning.lora_gain import LoraGain
from fsa.errors import ConfigError
from fsa.models.backbone import LanguageModel


def adapted(llama: Path, **options) -> PeftModel:
    return get_peft_model(AutoModelForCausalLM.from_pretrained(llama), LoraConfig(r=2, **options))


def steered(llama: Path, **gains: float) -> LanguageModel:
    torch.manual_seed(1)
    model = LanguageModel(str(llama), 3, LoraGain(**gains), rank=2, alpha=6, targets=["q_proj", "down_proj"])
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)
    return model


def test_each_rank_is_scaled_by_one_plus_its_gain(llama: Path):
    model, z = steered(llama), torch.randn(2, 3)
    name = "base_model.model.model.layers.1.mlp.down_proj"
    layer, x = model.backbone.get_submodule(name), torch.randn(2, 5, 32)
    # Its place among the head's outputs: two ranks each of layer 0's q and down, then layer 1's q.
    assert model.conditioning.layers.index(name) == 3
    gain = z @ model.conditioning.head.weight[6:8].T  # [2, 2]
    with torch.no_grad(), pytest.raises(ConfigError, match="took no part"), model.conditioning.given(z):
        ours = layer(x)
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    for i in range(2):
        weight = layer.base_layer.weight + 6 / 2 * b @ torch.diag(1 + gain[i]) @ a
        assert_close(ours[i], x[i] @ weight.T, atol=1e-5, rtol=1e-5)


def test_gains_folded_into_b_are_a_plain_adapter_that_peft_runs(llama: Path, tmp_path: Path):
    model, z = steered(llama), torch.randn(1, 3)
    ids = torch.randint(4, 60, (1, 7))
    ours = model.hidden(ids, torch.ones_like(ids, dtype=torch.bool), z) @ model.head.T
    folded = copy.deepcopy(model.backbone)
    with torch.no_grad():
        for name, gain in model.conditioning.gains(z[0]).items():
            folded.get_submodule(name).lora_B["default"].weight.mul_(1 + gain)
    folded.save_pretrained(tmp_path / "person")
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), tmp_path / "person")
    assert_close(plain(ids).logits, ours, atol=1e-4, rtol=1e-5)
    plain_b = plain.get_submodule(model.conditioning.layers[0]).lora_B["default"].weight
    assert_close(plain_b, folded.get_submodule(model.conditioning.layers[0]).lora_B["default"].weight)


def test_knowing_nothing_is_the_plain_adapter(llama: Path):
    model = steered(llama)
    assert all((gain == 0).all() for gain in model.conditioning.gains(torch.zeros(3)).values())


def test_first_gains_have_the_spread_that_was_asked_for(llama: Path):
    torch.manual_seed(0)
    model = LanguageModel(str(llama), 200, LoraGain(std=0.2), rank=8)
    weight = model.conditioning.head.weight
    assert weight.shape == (14 * 8, 200)  # seven linear layers in each of two blocks
    assert weight.std().item() == pytest.approx(0.2, rel=0.03)  # 22 400 numbers: 0.5 % either way


@pytest.mark.parametrize("std", [0, -0.1])
def test_a_head_without_spread_is_refused(std: float):
    with pytest.raises(ConfigError, match=f"std is {std}"):
        LoraGain(std=std)


class TestRefusals:
    """What cannot be steered is named when it is attached, or when it first runs."""

    def test_dora(self, llama: Path):
        model = adapted(llama, target_modules=["q_proj"], use_dora=True)
        with pytest.raises(ConfigError, match=r"layers\.0\.self_attn\.q_proj .*DoRA"):
            LoraGain().attach(model, 3)

    def test_embeddings(self, llama: Path):
        model = adapted(llama, target_modules=["embed_tokens", "q_proj"])
        with pytest.raises(ConfigError, match=r"model\.embed_tokens is a Embedding"):
            LoraGain().attach(model, 3)

    def test_two_adapters(self, llama: Path):
        model = adapted(llama, target_modules=["q_proj"])
        model.add_adapter("second", LoraConfig(r=2, target_modules=["q_proj"]))
        with pytest.raises(ConfigError, match=r"q_proj has 2 adapters"):
            LoraGain().attach(model, 3)

    def test_a_model_without_adapters(self, llama: Path):
        with pytest.raises(ConfigError, match="LlamaForCausalLM has no LoRA layer"):
            LoraGain().attach(AutoModelForCausalLM.from_pretrained(llama), 3)

    def test_layers_that_are_not_linear(self):
        config = GPT2Config(vocab_size=70, n_positions=32, n_embd=16, n_layer=1, n_head=2)
        model = get_peft_model(GPT2LMHeadModel(config), LoraConfig(r=2, target_modules=["c_attn"]))
        with pytest.raises(ConfigError, match=r"h\.0\.attn\.c_attn is a Conv1D"):
            LoraGain().attach(model, 3)

    @pytest.mark.parametrize("what", ["experts", "router"])
    def test_fused_experts_and_routers(self, what: str):
        torch.manual_seed(0)
        config = MixtralConfig(
            vocab_size=70,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            num_local_experts=4,
        )
        target = {"experts": "experts.gate_up_proj", "router": "gate.weight"}[what]
        adapters = LoraConfig(r=2, target_modules=["q_proj"], target_parameters=[target])
        model = get_peft_model(MixtralForCausalLM(config), adapters)
        with pytest.raises(ConfigError, match=rf"mlp\.{target.split('.')[0]} is a Mixtral"):
            LoraGain().attach(model, 3)

    def test_a_linear_layer_that_sees_single_tokens(self, llama: Path):
        """An expert or router of linear layers is run on [tokens, width]."""
        model = adapted(llama, target_modules=["down_proj"])
        layer = model.get_submodule("base_model.model.model.layers.1.mlp.down_proj")
        layer.register_forward_pre_hook(lambda _, args: (args[0].flatten(0, 1),))
        conditioning = LoraGain()
        conditioning.attach(model, 3)
        with (
            pytest.raises(ConfigError, match=r"layers\.1\.mlp\.down_proj gives \[10, 2\]"),
            conditioning.given(torch.zeros(2, 3)),
        ):
            model(torch.ones(2, 5, dtype=torch.long))


def test_without_a_shared_part_who_is_unknown_gets_the_reference_and_opposites_opposites(llama: Path):
    model = steered(llama, shared=0.0)
    ids, mask = torch.arange(4, 12)[None], torch.ones(1, 8, dtype=torch.bool)
    assert torch.equal(model.hidden(ids, mask, torch.zeros(1, 3)), model.reference_hidden(ids, mask))
    z = torch.randn(3, generator=torch.Generator().manual_seed(1))
    prepare, gains = model.conditioning.prepare, model.conditioning.gains
    for name, (_, up) in model.adapters().items():
        assert_close(up * prepare(gains(z)[name]), -up * prepare(gains(-z)[name]))
