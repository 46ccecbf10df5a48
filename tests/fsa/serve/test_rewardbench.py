"""RewardBench's calls replayed: its registry, its builders, its loop over texts."""

import json
import sys
from types import ModuleType

import pytest
import torch
from accelerate import Accelerator

from fsa.errors import ChoiceDataError, ConfigError
from fsa.serve.problems import NotFound
from fsa.serve.rewardbench import main, register
from tests.fsa.serve.small import choices, text_rewards

KWARGS = {
    "batch_size": 2,
    "truncation": False,
    "padding": True,
    "max_length": 512,
    "function_to_apply": "none",
    "return_token_type_ids": False,
}


class Tokenizer:
    """As much of one as RewardBench touches."""

    pad_token_id, eos_token_id, padding_side = None, 7, "right"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """RewardBench's registry, and a person in the environment."""
    text_rewards(seed=3).save_pretrained(tmp_path / "run")
    lines = [{"user": "ann", **one} for one in choices(3)]
    (tmp_path / "people.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setenv("FSA_MODEL", str(tmp_path / "run"))
    monkeypatch.setenv("FSA_PEOPLE", str(tmp_path / "people.jsonl"))
    config: dict = {"default": {}}
    for name, members in {
        "rewardbench": {"REWARD_MODEL_CONFIG": config},
        "rewardbench.models": {"REWARD_MODEL_CONFIG": config},
        "rewardbench.rewardbench": {"main": lambda: scored(config, sys.argv[1].partition("=")[2])},
    }.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return config


def rendered(prompt, response):
    """ChatML."""
    return f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n{response}<|im_end|>\n"


def scored(config, name, samples=None):
    """`actual_main` of RewardBench 0.1.4, from the registry to a batch's numbers."""
    entry = config[name] if name in config else config["default"]
    assert not entry["custom_dialogue"]
    assert not entry["quantized"]
    model = entry["model_builder"](name, device_map="auto", revision=None, trust_remote_code=False)
    pipe = entry["pipeline_builder"]("text-classification", model=model, tokenizer=Tokenizer())
    if pipe.tokenizer.pad_token_id is None:
        pipe.model.config.pad_token_id = pipe.tokenizer.eos_token_id
        pipe.tokenizer.pad_token_id = pipe.tokenizer.eos_token_id
    pipe.model = Accelerator(cpu=True).prepare(pipe.model)
    texts = samples or [rendered("Tea?", "Yes, please."), rendered("Tea?", "No.")]
    rewards = pipe(texts, **KWARGS)
    assert not isinstance(rewards[0], dict)
    assert isinstance(rewards, torch.Tensor)
    return rewards.cpu().numpy().tolist()


@pytest.mark.parametrize(("name", "known"), [("ann", choices(3)), ("anybody", [])])
def test_a_person_is_a_model(bench, name, known):
    register(f"fsa/{name}")
    expected = text_rewards(seed=3).for_user(known).score("Tea?", ["Yes, please.", "No."]).reward
    assert scored(bench, f"fsa/{name}") == pytest.approx(expected.tolist(), abs=1e-5)


def test_the_command_registers_whom_it_is_asked_for(bench, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["rewardbench", "--model=fsa/ann", "--tokenizer=x"])
    main()
    assert "fsa/ann" in bench


def test_a_stranger_a_wrong_name_and_a_text_without_a_template_are_errors(bench):
    register("fsa/zoe")
    with pytest.raises(NotFound, match="there is no person 'zoe'"):
        scored(bench, "fsa/zoe")
    for name in ("ann", "fsa/"):
        with pytest.raises(ConfigError, match="a person's name for RewardBench is fsa/NAME"):
            register(name)
    register("fsa/ann")
    with pytest.raises(ChoiceDataError, match="must be in a chat template that fsa knows, came 'Tea"):
        scored(bench, "fsa/ann", ["Tea? Yes."])
