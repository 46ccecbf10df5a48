"""A policy from random weights: what one person's is, alone, in company, folded, saved and opened."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close
from transformers import AutoModelForCausalLM

from fsa.errors import CheckpointError, ConfigError, ShapeError
from fsa.outputs.policy import Policy
from fsa.outputs.reward_model import RewardModel
from tests.factories.policies import PROMPTS, logits_of, make_policy
from tests.factories.reward_models import text, text_choices_of


def test_a_batch_of_mixed_people_answers_as_each_alone(policy):
    people = policy.for_users([text_choices_of(i, 2 + i) for i in range(3)])
    together = policy.generate([*people, None], [*PROMPTS, PROMPTS[0]], max_new_tokens=8)
    alone = [p.generate([prompt], max_new_tokens=8)[0] for p, prompt in zip(people, PROMPTS, strict=True)]
    assert together[:3] == alone
    assert len({*together}) > 1
    # The last is the reference: the backbone's own greedy text.
    backbone = AutoModelForCausalLM.from_pretrained(policy.scorer.language_model.folder)
    ids, mask = policy.texts.prompts(PROMPTS[:1])
    written = backbone.generate(ids, attention_mask=mask.long(), max_new_tokens=8, do_sample=False)
    tokenizer = policy.texts.tokenizer
    assert together[3] == tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True).strip()


def test_several_answers_to_a_prompt_come_as_a_list(policy):
    person = policy.for_user(text_choices_of(0, 3))
    answers = person.generate(PROMPTS, max_new_tokens=4, do_sample=True, num_return_sequences=3)
    assert [len(each) for each in answers] == [3, 3, 3]


def test_its_rewards_are_beta_times_the_log_ratio_to_the_reference(policy, llama):
    person, responses = policy.for_user(text_choices_of(1, 3)), [text(40, 4), text(41, 6)]
    scores = person.score(PROMPTS[0], responses).reward
    model = policy.scorer.language_model
    reference = AutoModelForCausalLM.from_pretrained(llama)
    for response, score in zip(responses, scores, strict=True):
        items = policy.texts.items([PROMPTS[0]], [response])
        ids = torch.from_numpy(items.ids.astype(np.int64))[None]
        start = int(items.start[0])
        totals = []
        for logits in (logits_of(policy, person, ids), reference(ids).logits.detach()):
            each = torch.log_softmax(logits[0, start - 1 : -1].double(), -1)
            totals.append(float(each.gather(1, ids[0, start:, None]).sum()))
        assert score == pytest.approx(0.5 * (totals[0] - totals[1]), abs=1e-4)
    assert policy.scorer.language_model is model


def test_a_new_model_prefers_nothing(llama):
    fresh = make_policy(llama)
    for name, weight in fresh.named_parameters():
        if "lora_B" in name:
            weight.data.zero_()
    scores = fresh.for_user(text_choices_of(0, 3)).score(PROMPTS[0], [text(1), text(2)])
    assert_close(torch.tensor(scores.reward), torch.zeros(2, dtype=torch.float64), atol=1e-5, rtol=0)


def test_saved_and_opened_it_is_the_same_to_the_bit(policy, tmp_path):
    policy.save_pretrained(tmp_path / "run")
    opened = Policy.from_pretrained(tmp_path / "run")
    mine, theirs = policy.state_dict(), opened.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    names = load_file(tmp_path / "run" / "model.safetensors").keys()
    assert not [name for name in names if "base_layer" in name or "embed_tokens" in name]  # no second copy
    choices = text_choices_of(0, 3)
    assert opened.for_user(choices).generate(PROMPTS, max_new_tokens=6) == policy.for_user(choices).generate(
        PROMPTS, max_new_tokens=6
    )


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_a_missing_or_extra_tensor_refuses_to_load(policy, tmp_path, change):
    policy.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    lora = next(name for name in weights if "lora_B" in name)
    if change == "missing":
        del weights[lora]
    else:
        weights["scorer.more"] = torch.zeros(1)
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="is missing" if change == "missing" else "is not part"):
        Policy.from_pretrained(tmp_path)


def test_other_weights_under_the_same_name_refuse_to_load(llama, tmp_path):
    weights = tmp_path / "backbone"
    shutil.copytree(llama, weights)
    make_policy(weights).save_pretrained(tmp_path / "run")
    Policy.from_pretrained(tmp_path / "run")
    (file,) = weights.glob("*.safetensors")
    save_file({name: tensor + 1e-3 for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"backbone had weights \w{12}\.\.\., those there now"):
        Policy.from_pretrained(tmp_path / "run")


def test_a_policy_is_no_reward_model_and_says_so(policy, tmp_path):
    policy.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"fsa\.policy\.1"):
        RewardModel.from_pretrained(tmp_path)


def test_people_of_two_policies_do_not_mix(policy, llama):
    stranger = make_policy(llama, seed=1).for_user(text_choices_of(0, 2))
    with pytest.raises(ShapeError, match="another policy"):
        policy.generate([stranger], PROMPTS[:1])
    with pytest.raises(ShapeError, match="1 people, 3 prompts"):
        policy.generate([policy.for_user([])], PROMPTS)


def test_strength_goes_from_the_reference_through_what_was_trained_to_beyond(policy):
    """Rewards are those of a LoRA whose B is scaled, and at 0 those of the reference: none."""
    person, responses = policy.for_user(text_choices_of(1, 3)), [text(40, 4), text(41, 6)]
    trained = person.score(PROMPTS[0], responses).reward
    ups = {name: up.clone() for name, (_, up) in policy.scorer.language_model.adapters().items()}
    policy.strengthen(1)
    assert person.score(PROMPTS[0], responses).reward.tolist() == trained.tolist()
    policy.strengthen(2)
    for name, (_, up) in policy.scorer.language_model.adapters().items():
        assert torch.equal(up, 2 * ups[name])
    assert abs(person.score(PROMPTS[0], responses).reward - trained).max() > 1e-3
    policy.strengthen(0)
    assert_close(
        torch.tensor(person.score(PROMPTS[0], responses).reward), torch.zeros(2).double(), atol=1e-5, rtol=0
    )
    assert person.generate(PROMPTS, max_new_tokens=5) == policy.generate(
        [None] * 3, PROMPTS, max_new_tokens=5
    )
    with pytest.raises(ConfigError, match="strength"):
        policy.strengthen(-1)
