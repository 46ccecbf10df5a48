"""verl's calls replayed: its reward loop's, by sample, and its custom function's."""

import asyncio
import importlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fsa.errors import ChoiceDataError
from fsa.serve import verl
from fsa.serve.in_process import InProcess
from tests.fsa.serve.small import choices, text_rewards

VOCABULARY = ["<pad>", "Yes,", "please.", "No.", "</s>"]


class Tokenizer:
    """Decodes one word an id."""

    def decode(self, ids, skip_special_tokens):
        assert skip_special_tokens
        return " ".join(VOCABULARY[int(i)] for i in ids if VOCABULARY[int(i)] not in ("<pad>", "</s>"))


class Sample:
    """One item of a `DataProto`: tensors, and everything else as verl's loader leaves it."""

    def __init__(self, response, extra_info, prompt="Tea?"):
        padded = response + [0] * (4 - len(response))
        self.batch = {
            "prompts": torch.tensor([0, 2]),
            "responses": torch.tensor(padded),
            "attention_mask": torch.tensor([0, 1, *(1 for _ in response), *[0] * (4 - len(response))]),
        }
        self.non_tensor_batch = {
            "data_source": "chat",
            "reward_model": {"style": "model", "ground_truth": None},
            "extra_info": extra_info,
            "raw_prompt": np.array([{"role": "user", "content": prompt}], dtype=object),
        }
        self.meta_info: dict = {}


class Data(list):
    """As much of a `DataProto` as is used."""


@pytest.fixture
def run(tmp_path, monkeypatch):
    text_rewards(seed=3).save_pretrained(tmp_path / "run")
    lines = [{"user": "ann", **one} for one in choices(3)]
    (tmp_path / "people.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    verl._opened.cache_clear()
    return {"model": str(tmp_path / "run"), "people": str(tmp_path / "people.jsonl")}


def manager(run):
    """Found and made as `source: importlib, module: {path: pkg://...}` does it."""
    found = importlib.import_module("pkg://fsa.serve.verl".removeprefix("pkg://")).FsaRewardManager
    config = {"reward": {"custom_reward_function": {"path": None, "reward_kwargs": run}}}
    return found(config, Tokenizer(), None, reward_router_address=None, reward_model_tokenizer=None)


def expected(known, response):
    chat = ({"role": "user", "content": "Tea?"},)
    return float(text_rewards(seed=3).for_user(known).score(chat, [response]).reward[0])


def test_samples_are_rewarded_by_their_person_and_together(run, monkeypatch):
    sizes: list[int] = []
    score = InProcess.score
    monkeypatch.setattr(
        InProcess, "score", lambda self, items: sizes.append(len(items)) or score(self, items)
    )
    rewards = manager(run)
    samples = [
        Sample([1, 2, 4], {"user": "ann", "index": 0}),
        Sample([3, 4], {"choices": np.array(choices(2), dtype=object)}),
        Sample([3, 4], {"user": "zoe"}),
        Sample([3, 4], None),
    ]

    async def loop():
        return await asyncio.gather(*(rewards.run_single(Data([sample])) for sample in samples))

    answers = asyncio.run(loop())
    known = [(choices(3), "Yes, please."), (choices(2), "No."), ([], "No."), ([], "No.")]
    assert [a["reward_score"] for a in answers] == pytest.approx(
        [expected(*each) for each in known], abs=1e-5
    )
    assert [a["reward_extra_info"]["fsa_known"] for a in answers] == [1.0, 1.0, 0.0, 0.0]
    assert sizes[0] == 4
    assert {type(a["reward_score"]) for a in answers} == {float}


def test_of_several_sequences_the_last_counts(run):
    rewards = manager(run)
    data = Data([Sample([1, 4], {"user": "ann"}), Sample([3, 4], {"user": "ann"})])
    answer = asyncio.run(rewards.run_single(data))
    assert answer["reward_score"] == pytest.approx(expected(choices(3), "No."), abs=1e-5)


def test_a_bad_sample_is_its_own_error(run):
    rewards = manager(run)

    async def loop():
        samples = [Sample([3], {"user": 1.5}), Sample([3], {"user": "ann"})]
        each = (rewards.run_single(Data([sample])) for sample in samples)
        return await asyncio.gather(*each, return_exceptions=True)

    bad, good = asyncio.run(loop())
    assert isinstance(bad, ChoiceDataError)
    assert good["reward_extra_info"]["fsa_known"] == 1.0


def test_the_custom_function(run):
    chat = [{"role": "user", "content": "Tea?"}]
    called = SimpleNamespace(data_source="chat", ground_truth=None)
    result = verl.compute_score(
        data_source=called.data_source,
        solution_str="No.",
        ground_truth=called.ground_truth,
        extra_info={"user": "ann", "prompt": np.array(chat, dtype=object), "num_turns": None},
        reward_router_address=None,
        **run,
    )
    assert result["score"] == pytest.approx(expected(choices(3), "No."), abs=1e-5)
    assert result["fsa_known"] == 1.0
    with pytest.raises(ChoiceDataError, match="extra_info: prompt must be given, came user"):
        verl.compute_score("chat", "No.", None, {"user": "ann"}, **run)
