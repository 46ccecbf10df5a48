import json

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch.testing import assert_close
from transformers import AutoModelForCausalLM, AutoTokenizer

from fsa.errors import ConfigError
from fsa.outputs.adapters import SERVED_RANKS, save_adapter
from tests.factories.policies import logits_of, make_policy
from tests.factories.reward_models import text, text_choices_of


@pytest.mark.parametrize("person_number", range(5))
def test_an_exported_adapter_is_the_steered_model(policy, llama, tmp_path, person_number):
    person = policy.for_user(text_choices_of(person_number, 4))
    person.save_adapter(tmp_path / "adapter")
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), str(tmp_path / "adapter"))
    ids = torch.randint(4, 60, (3, 12), generator=torch.Generator().manual_seed(person_number))
    assert_close(plain(ids).logits.detach(), logits_of(policy, person, ids), atol=1e-4, rtol=0)


def test_the_adapter_folder_keeps_vllms_rules(policy, llama, tmp_path):
    policy.for_user(text_choices_of(0, 3)).save_adapter(folder := tmp_path / "adapter")
    ours = {"fsa.json", "chat_template.jinja"}
    assert {path.name for path in folder.iterdir()} - ours == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA"
    assert config["r"] in SERVED_RANKS
    assert not config["rank_pattern"]  # ignored by vLLM: there must be nothing in them
    assert not config["alpha_pattern"]
    assert not config["use_dora"]
    assert not config["use_rslora"]
    assert config["bias"] == "none"
    assert not config["modules_to_save"]
    weights = load_file(folder / "adapter_model.safetensors")
    modules = dict(AutoModelForCausalLM.from_pretrained(llama).named_modules())
    assert len(weights) == 2 * len(policy.scorer.language_model.adapters())
    for name, tensor in weights.items():
        path, half = name.removeprefix("base_model.model.").rsplit(".lora_", 1)
        layer = modules[path]
        assert path.rpartition(".")[2] in config["target_modules"]
        wanted = (config["r"], layer.in_features) if half == "A.weight" else (layer.out_features, config["r"])
        assert tensor.shape == wanted


def test_a_rank_that_is_not_served_is_padded_up_with_the_same_scale(llama, tmp_path):
    policy = make_policy(llama, rank=6, alpha=9.0)
    person = policy.for_user(text_choices_of(0, 3))
    person.save_adapter(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (8, 12)  # 9 / 6 = 12 / 8
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), str(tmp_path))
    ids = torch.arange(4, 14)[None]
    assert_close(plain(ids).logits.detach(), logits_of(policy, person, ids), atol=1e-4, rtol=0)


def test_an_adapter_of_some_blocks_makes_no_layers_in_others(llama, tmp_path, recwarn):
    policy = make_policy(llama, targets=r".*layers\.1\.(self_attn\.[qv]_proj|mlp\.down_proj)")
    person = policy.for_user(text_choices_of(0, 3))
    person.save_adapter(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["layers_to_transform"] == [1]
    assert sorted(config["target_modules"]) == ["down_proj", "q_proj", "v_proj"]
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), str(tmp_path))
    assert not [each for each in recwarn if "missing adapter keys" in str(each.message)]
    ids = torch.arange(4, 14)[None]
    assert_close(plain(ids).logits.detach(), logits_of(policy, person, ids), atol=1e-4, rtol=0)


def test_activations_cannot_be_folded(llama, tmp_path):
    policy = make_policy(llama, conditioning="film_blocks.FilmBlocks")
    with pytest.raises(ConfigError, match="FilmBlocks changes activations"):
        save_adapter(policy.scorer.language_model, torch.zeros(3), tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()


def test_fifty_prompts_get_the_same_greedy_answers_from_peft_and_transformers_alone(llama, tmp_path):
    """Nothing is added to a prompt: the template is that in the adapter's folder."""
    tokenizer = AutoTokenizer.from_pretrained(llama)
    tokenizer.chat_template += "{% if add_generation_prompt %}assistant : {% endif %}"
    tokenizer.save_pretrained(llama)
    person = make_policy(llama).for_user(text_choices_of(1, 4))
    person.save_adapter(folder := tmp_path / "adapter")
    chats = [[{"role": "user", "content": text(200 + i, 2 + i % 6)}] for i in range(50)]
    expected = person.generate(chats, max_new_tokens=8)

    tokenizer = AutoTokenizer.from_pretrained(llama)
    tokenizer.chat_template = (folder / "chat_template.jinja").read_text()
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), str(folder)).eval()
    found = []
    for chat in chats:
        ids = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        ids.pop("token_type_ids", None)
        written = plain.generate(**ids, max_new_tokens=8, do_sample=False)
        answer = tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        found.append(answer.strip())
    assert found == expected
    assert len(set(expected)) > 10
