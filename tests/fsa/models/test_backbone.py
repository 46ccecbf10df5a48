"""A language model with adapters: what it loads, keeps, and refuses."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PhiConfig,
    PhiForCausalLM,
)

from fsa.conditioning.lora_gain import LoraGain
from fsa.errors import ConfigError, FeatureError
from fsa.models.backbone import LanguageModel

IDS = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 0]])
MASK = IDS > 0
SMALL = {
    "vocab_size": 70,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 32,
    "initializer_range": 0.5,
}


def make(folder: Path, seed: int = 1, **options) -> LanguageModel:
    torch.manual_seed(seed)
    model = LanguageModel(str(folder), 3, LoraGain(), rank=2, **options)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)
    return model


class Holder(nn.Module):
    """A model inside a training module, with a part of its own."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        super().__init__()
        self.language_model, self.other = make(folder, seed), nn.Linear(2, 2)


def test_only_adapters_and_heads_are_trained(llama: Path):
    model = make(llama)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained == {name for name in dict(model.named_parameters()) if "lora_" in name} | {
        "conditioning.head.weight"
    }
    assert len(trained) == 2 * 14 + 1


def test_targets_by_name_adapt_those_alone(llama: Path):
    layers = make(llama, targets=["q_proj", "v_proj"]).conditioning.layers
    assert [name.split(".")[-1] for name in layers] == ["q_proj", "v_proj"] * 2


def test_rank_and_alpha_reach_the_adapters(llama: Path):
    model = make(llama, alpha=5)
    layer = model.backbone.get_submodule(model.conditioning.layers[0])
    assert layer.lora_A["default"].weight.shape == (2, 16)
    assert layer.scaling["default"] == 5 / 2


def test_the_backbones_own_dropout_is_off_and_the_adapters_on(llama: Path):
    config = json.loads((llama / "config.json").read_text())
    (llama / "config.json").write_text(json.dumps({**config, "attention_dropout": 0.5}))
    z = torch.randn(2, 3)
    model = make(llama).train()
    assert_close(model.hidden(IDS, MASK, z), model.hidden(IDS, MASK, z), atol=0, rtol=0)
    dropping = make(llama, lora_dropout=0.5).train()
    assert (dropping.hidden(IDS, MASK, z) - dropping.hidden(IDS, MASK, z)).abs().max() > 1e-3


def test_the_tokenizer_is_the_folders_own(llama: Path):
    assert make(llama).tokenizer("w1 w2")["input_ids"] == [2, 5, 6, 3]


class TestState:
    """`state_dict` holds what was trained, and loads strictly."""

    def test_it_holds_what_is_trained_alone(self, llama: Path):
        model = make(llama)
        assert list(model.state_dict()) == [n for n, p in model.named_parameters() if p.requires_grad]
        holder = Holder(llama)
        expected = {f"language_model.{name}" for name in model.state_dict()} | {"other.weight", "other.bias"}
        assert set(holder.state_dict()) == expected

    def test_it_loads_into_a_new_model_to_the_same_numbers(self, llama: Path):
        one, two, z = Holder(llama), Holder(llama, seed=2), torch.randn(2, 3)
        before = two.language_model.hidden(IDS, MASK, z)
        two.load_state_dict(one.state_dict(), strict=True)
        after = two.language_model.hidden(IDS, MASK, z)
        assert_close(after, one.language_model.hidden(IDS, MASK, z), atol=0, rtol=0)
        assert (after - before).abs().max() > 1e-3

    @pytest.mark.parametrize("name", ["lora_B", "conditioning.head.weight", "other.bias"])
    def test_a_missing_tensor_is_refused(self, llama: Path, name: str):
        holder = Holder(llama)
        state = holder.state_dict()
        gone = [key for key in state if name in key][-1]
        del state[gone]
        with pytest.raises(RuntimeError, match=rf'Missing key\(s\) in state_dict: "{gone}"\. $'):
            holder.load_state_dict(state)

    def test_an_extra_tensor_is_refused(self, llama: Path):
        holder = Holder(llama)
        extra = {"language_model.conditioning.other": torch.zeros(1)}
        with pytest.raises(RuntimeError, match=r"Unexpected key.*conditioning\.other"):
            holder.load_state_dict({**holder.state_dict(), **extra})

    def test_another_rank_is_refused(self, llama: Path):
        torch.manual_seed(0)
        other = LanguageModel(str(llama), 3, LoraGain(), rank=4)
        with pytest.raises(RuntimeError, match="size mismatch"):
            make(llama).load_state_dict(other.state_dict())


@pytest.mark.parametrize("mask", [MASK, MASK.flip(1)], ids=["padded on the right", "on the left"])
def test_either_attention_gives_the_same_states_and_slopes(llama: Path, mask: torch.Tensor):
    found = []
    for name in ("sdpa", "eager"):
        model = make(llama, attn_implementation=name)
        assert model.backbone.config._attn_implementation == name
        states = model.hidden(IDS, mask, torch.ones(2, 3))[mask]
        states.sin().sum().backward()
        found.append([states, *[p.grad for p in model.parameters() if p.grad is not None]])
    for sdpa, eager in zip(*found, strict=True):
        assert_close(eager, sdpa, atol=1e-4 * float(sdpa.abs().max()), rtol=0)


class TestGenerate:
    def test_training_mode_comes_back(self, llama: Path):
        model = make(llama, gradient_checkpointing=True).train()
        model.generate(IDS[:1], MASK[:1], torch.zeros(1, 3), max_new_tokens=2)
        assert model.training

    def test_copies_are_read_from_a_generation_config_too(self, llama: Path):
        model = make(llama)
        config = model.backbone.generation_config
        config.num_beams = config.num_return_sequences = 2
        generated = model.generate(IDS[:1], MASK[:1], torch.zeros(1, 3), max_new_tokens=2)
        assert len(generated) == 2
        generated = model.generate(
            IDS[:1], MASK[:1], torch.zeros(1, 3), generation_config=config, num_beams=3, max_new_tokens=2
        )
        assert len(generated) == 2


class TestRefusals:
    def test_an_encoder(self, bert: Path):
        with pytest.raises(ConfigError, match=r"BertLMHeadModel needs cls\.predictions"):
            make(bert)

    def test_an_encoder_with_an_output_layer(self, tmp_path: Path):
        config = LlamaConfig(**SMALL)
        LlamaForCausalLM(config).save_pretrained(tmp_path / "both-ways")
        written = json.loads((tmp_path / "both-ways" / "config.json").read_text())
        (tmp_path / "both-ways" / "config.json").write_text(json.dumps({**written, "is_causal": False}))
        with pytest.raises(ConfigError, match="looks at tokens to come"):
            make(tmp_path / "both-ways")

    def test_a_folder_without_weights(self, tmp_path: Path):
        with pytest.raises(FeatureError):
            make(tmp_path)

    def test_a_target_that_is_not_there(self, llama: Path):
        with pytest.raises(ConfigError, match=r"targets \['nope'\]"):
            make(llama, targets=["nope"])

    def test_a_rank_of_zero(self, llama: Path):
        with pytest.raises(ConfigError, match="rank 0"):
            LanguageModel(str(llama), 3, LoraGain(), rank=0)

    def test_another_dtype(self, llama: Path):
        with pytest.raises(ConfigError, match="dtype is 'float16'; it is one of float32, bfloat16"):
            make(llama, dtype="float16")

    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (Gemma2ForCausalLM(Gemma2Config(**SMALL, head_dim=8)), "final_logit_softcapping"),
            (PhiForCausalLM(PhiConfig(**{**SMALL, "num_key_value_heads": 2})), "bias on its output layer"),
            (GraniteForCausalLM(GraniteConfig(**SMALL, logits_scaling=3.0)), "more to its logits"),
        ],
        ids=["capped", "bias", "scaled"],
    )
    def test_logits_that_are_no_plain_product(self, tmp_path: Path, model: nn.Module, message: str):
        model.save_pretrained(tmp_path / "odd")
        with pytest.raises(ConfigError, match=rf"{type(model).__name__} .*{message}"):
            make(tmp_path / "odd")


def test_a_mask_with_holes_is_the_backbones_own(llama: Path):
    mask = torch.tensor([[True, False, True, True]])
    model, plain = make(llama), AutoModelForCausalLM.from_pretrained(llama)
    places = torch.tensor([[0, 0, 1, 2]])
    theirs = plain.get_decoder()(IDS[:1], attention_mask=mask.long(), position_ids=places).last_hidden_state
    assert_close(model.reference_hidden(IDS[:1], mask)[mask], theirs[mask], atol=1e-5, rtol=1e-5)


def test_threads_that_share_a_model_mix_no_rows(llama: Path):
    model, zs = make(llama), torch.randn(4, 2, 3) * 3
    nn.init.normal_(model.conditioning.head.weight)
    ids, mask = IDS.repeat(1, 12), MASK.repeat(1, 12)
    mask[:] = True
    written = {"do_sample": False, "max_new_tokens": 8, "pad_token_id": 0}

    def answers(number: int) -> list[torch.Tensor]:
        z = zs[number]
        found = [model.hidden(ids, mask, z), model.reference_hidden(ids, mask)]
        return [*(each.detach() for each in found), model.generate(IDS, torch.ones_like(MASK), z, **written)]

    alone = [answers(number) for number in range(4)]
    assert not torch.equal(alone[0][0], alone[1][0])
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(answers, [0, 1, 2, 3] * 10))
    for number, found in zip([0, 1, 2, 3] * 10, together, strict=True):
        for mine, others in zip(alone[number], found, strict=True):
            assert_close(others, mine, atol=1e-6, rtol=1e-6)
