"""A person's reward written for other tools says what the person's own model says."""

import json

import numpy as np
import pytest
import torch
import transformers
from huggingface_hub import metadata_load
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.features.projection import Projection
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.reward import train_reward
from tests.factories.exports import EXPORTS
from tests.factories.reward_models import part, randomised, small_model, text, text_choices_of

TASTES = {
    "encoder": part("encoders.taste_posterior.TastePosterior", components=4, units=0),
    "scorer": part("models.taste_reward.TasteReward"),
}
BILINEAR = {
    "encoder": part("encoders.deep_set.DeepSet", hidden=[8]),
    "scorer": part("models.bilinear.Bilinear"),
}


@pytest.fixture(autouse=True)
def _own(own_cache):
    """No test sees another's features."""


def make(backbone, parts=TASTES, extras=(), **features) -> RewardModel:
    """Over the last hidden state of a causal backbone, with random weights."""
    said = {"pooling": "last", "reads": "prompt+response", **features}
    extractor = part("features.hidden_state.HiddenState", backbone=str(backbone), device="cpu", **said)
    plain = {"num_components": 6, "extras": list(extras)}
    config = (
        small_model().config
        | parts
        | {
            "d_feature": 6 + len(extras),
            "features": extractor,
            "projection": part("features.projection.Projection", **plain),
        }
    )
    texts = [text(i, 3 + i % 5) for i in range(30)]
    seen = RewardModel(config | {"d_feature": 2}, small_model().projection).features.extract(texts, texts)
    return randomised(RewardModel(config, Projection(**plain).fit(seen, texts)), 0, scale=0.3)


def conversations(count):
    """Chats of one to three turns that end with an answer."""
    for i in range(count):
        turns = 1 + i % 3
        said = [text(1000 * i + k, 2 + (i + k) % 6) for k in range(2 * turns)]
        yield [{"role": ("user", "assistant")[k % 2], "content": one} for k, one in enumerate(said)]


def logits(folder, chats):
    """As TRL calls a reward model: right padding, and no special tokens beside the template's."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    rows = tokenizer(
        text=texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False
    )
    rows.pop("token_type_ids", None)
    with torch.inference_mode():
        return model(**rows).logits[:, 0].double().numpy()


def rewards(person, chats):
    return np.array([person.score(chat[:-1], [chat[-1]["content"]]).reward[0] for chat in chats])


@pytest.mark.parametrize("parts", [TASTES, BILINEAR], ids=["tastes", "bilinear"])
def test_a_hundred_conversations_are_the_same_up_to_a_constant(llama, tmp_path, parts):
    person = make(llama, parts).for_user(text_choices_of(0, 4))
    person.save_reward(tmp_path / "ann")
    chats = list(conversations(100))
    found, wanted = logits(tmp_path / "ann", chats), rewards(person, chats)
    assert np.ptp(wanted) > 0.1
    np.testing.assert_allclose(found - found.mean(), wanted - wanted.mean(), atol=1e-4)


def test_two_people_have_two_heads_on_one_backbone(llama, tmp_path):
    model = make(llama)
    chats = list(conversations(20))
    for name, choices in (("ann", text_choices_of(0, 4)), ("bob", text_choices_of(5, 4))):
        model.for_user(choices).save_reward(tmp_path / name)
    ann, bob = (logits(tmp_path / name, chats) for name in ("ann", "bob"))
    assert np.abs((ann - ann.mean()) - (bob - bob.mean())).max() > 1e-2


def test_a_pipeline_gives_the_reward_itself(llama, tmp_path):
    make(llama).for_user(text_choices_of(0, 4)).save_reward(tmp_path / "ann")
    chats = list(conversations(5))
    pipe = transformers.pipeline("text-classification", model=str(tmp_path / "ann"), device="cpu")
    texts = [pipe.tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    for options in ({}, {"function_to_apply": "none"}):
        found = [one["score"] for one in pipe(texts, **options)]  # no second [CLS]
        np.testing.assert_allclose(found, logits(tmp_path / "ann", chats), atol=1e-5)


def test_sentence_transformers_opens_it(llama, tmp_path):
    cross = pytest.importorskip("sentence_transformers").CrossEncoder
    make(llama).for_user(text_choices_of(0, 4)).save_reward(tmp_path / "ann")
    opened = cross(str(tmp_path / "ann"), device="cpu")
    assert opened.num_labels == 1
    assert isinstance(opened.activation_fn, torch.nn.Identity)


@pytest.mark.parametrize("missing", ["template", "padding"])
def test_a_backbone_without_a_template_or_padding_of_its_own_is_given_one(llama, tmp_path, missing):
    tokenizer = AutoTokenizer.from_pretrained(llama)
    if missing == "template":
        tokenizer.chat_template = None
        (llama / "chat_template.jinja").unlink(missing_ok=True)
    else:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(llama)
    person = make(llama).for_user(text_choices_of(0, 4))
    person.save_reward(tmp_path / "ann")
    chats = list(conversations(30))
    found, wanted = logits(tmp_path / "ann", chats), rewards(person, chats)
    np.testing.assert_allclose(found - found.mean(), wanted - wanted.mean(), atol=1e-4)
    config = json.loads((tmp_path / "ann" / "config.json").read_text())
    opened = AutoTokenizer.from_pretrained(tmp_path / "ann")
    assert config["pad_token_id"] == opened.pad_token_id != opened.eos_token_id
    if missing == "template":  # then strings are read as chats are
        plain = person.score("w1 w2", ["w3", "w4 w5"]).reward
        chats = [
            [{"role": "user", "content": "w1 w2"}, {"role": "assistant", "content": each}]
            for each in ("w3", "w4 w5")
        ]
        assert np.diff(logits(tmp_path / "ann", chats)) == pytest.approx(np.diff(plain), abs=1e-4)


def test_config_and_card(llama, tmp_path):
    make(llama).for_user([]).save_reward(tmp_path / "anybody")
    config = json.loads((tmp_path / "anybody" / "config.json").read_text())
    assert config["architectures"] == ["LlamaForSequenceClassification"]
    assert config["id2label"] == {"0": "LABEL_0"}
    card = metadata_load(tmp_path / "anybody" / "README.md")
    assert (card["pipeline_tag"], card["library_name"]) == ("text-ranking", "transformers")
    assert str(llama) not in (tmp_path / "anybody" / "README.md").read_text()


NETWORK = {**TASTES, "encoder": part("encoders.taste_posterior.TastePosterior", components=4, units=4)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pooling": "mean"}, "features.pooling is 'mean'"),
        ({"reads": "response"}, "features.reads is 'response'"),
        ({"extras": ["log_length"]}, "projection.extras are log_length"),
        ({"parts": NETWORK}, "TasteReward is not linear in the features"),
    ],
)
def test_what_has_no_such_head_is_one_error_that_names_the_preset(llama, tmp_path, arguments, said):
    person = make(llama, **arguments).for_user(text_choices_of(0, 4))
    with pytest.raises(ConfigError, match=rf"{said}.* --config reward/servable"):
        person.save_reward(tmp_path / "ann")
    assert not (tmp_path / "ann").exists()


def test_other_kinds_of_models_and_backbones_are_refused(bert, tmp_path):
    with pytest.raises(ConfigError, match="Bilinear on Numeric is no head on hidden states"):
        small_model().for_user([]).save_reward(tmp_path / "numbers")
    with pytest.raises(ConfigError, match="BertForSequenceClassification has no `score` head"):
        make(bert).for_user([]).save_reward(tmp_path / "bert")


def test_the_preset_trains_models_whose_people_can_be_written(llama, tmp_path):
    given = {
        "source": "fsa.choices.personal_reward_bench.PersonalRewardBench",
        "source.path": EXPORTS["personal-reward-bench"](tmp_path),
        "features.backbone": str(llama),
        "features.device": "cpu",
        "projection.num_components": "4",
        "d_belief": "2",
        "splits.by": "record",
        "episodes.validation_episodes": "2",
        "episodes.users_per_step": "2",
        "loop.max_steps": "4",
        "loop.validate_every": "2",
        "loop.accelerator": "cpu",
        "loop.progress": "false",
        "out": str(tmp_path / "run"),
    }
    presets = ["--config", "reward/choices", "--config", "reward/servable"]
    options = [f"--{name}={value}" for name, value in given.items()]
    run_recipe(train_reward, [*presets, *options])
    person = RewardModel.from_pretrained(tmp_path / "run").for_user(text_choices_of(0, 4))
    person.save_reward(tmp_path / "ann")
    chats = list(conversations(20))
    found, wanted = logits(tmp_path / "ann", chats), rewards(person, chats)
    np.testing.assert_allclose(found - found.mean(), wanted - wanted.mean(), atol=1e-4)


def reward_lm(backbone, **arguments) -> RewardModel:
    """A reward from a whole language model, with random adapters."""
    scorer = part(
        "models.reward_lm.RewardLM",
        backbone=str(backbone),
        conditioning=part("conditioning.lora_gain.LoraGain"),
        rank=8,
        **arguments,
    )
    config = make(backbone).config | {"scorer": scorer, "encoder": BILINEAR["encoder"]}
    model, generator = RewardModel(config, make(backbone).projection), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:  # the backbone stays what its folder holds
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return model


def test_a_reward_of_a_whole_language_model_is_an_adapter_with_a_head(llama, tmp_path):
    model = reward_lm(llama, normalize=False)
    chats = list(conversations(40))
    for name, choices in (("ann", text_choices_of(0, 4)), ("bob", text_choices_of(5, 4))):
        person = model.for_user(choices)
        person.save_reward(tmp_path / name)
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / name)
        base = AutoModelForSequenceClassification.from_pretrained(llama, num_labels=1)
        opened = PeftModel.from_pretrained(base, tmp_path / name).eval()
        opened.config.pad_token_id = tokenizer.pad_token_id
        texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
        rows = tokenizer(text=texts, return_tensors="pt", padding=True, add_special_tokens=False)
        rows.pop("token_type_ids", None)
        with torch.no_grad():
            found = opened(**rows).logits[:, 0].double().numpy()
        wanted = rewards(person, chats)
        assert np.ptp(wanted) > 0.1
        np.testing.assert_allclose(found - found.mean(), wanted - wanted.mean(), atol=1e-4)
        assert metadata_load(tmp_path / name / "README.md")["library_name"] == "peft"


def test_a_layer_norm_before_the_head_is_refused_by_name(llama, tmp_path):
    with pytest.raises(ConfigError, match="train with normalize: false"):
        reward_lm(llama).for_user([]).save_reward(tmp_path / "ann")
