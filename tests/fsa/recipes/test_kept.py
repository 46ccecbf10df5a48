"""Answers that a policy goes on to give: read, and kept in training."""

import json
from pathlib import Path

import pytest
import torch

from fsa.cli.recipes import run_recipe
from fsa.conditioning.lora_gain import LoraGain
from fsa.errors import ChoiceDataError, ConfigError
from fsa.models.bilinear import Bilinear
from fsa.models.policy import PolicyScorer
from fsa.outputs.item_tokens import Texts
from fsa.outputs.policy import Policy
from fsa.recipes.kept import kept_answers
from fsa.recipes.policy import train_policy
from tests.fsa.conftest import bert, llama, own_cache, tokenizer
from tests.fsa.recipes.test_policy import CHOICES, options

__all__ = ["bert", "llama", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")


def answer(question: str, response: str, stopped: bool = True) -> dict:
    return {"prompt": [{"role": "user", "content": question}], "response": response, "stopped": stopped}


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "kept.jsonl"
    lines = [{"about": {}}, answer("w1 w2", "w3"), answer("w4", "w5 w6", False), answer("w7 w8", "w9 w1 w2")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_finished_answers_are_read_as_a_policy_reads_them(answers, llama):
    scorer = PolicyScorer(1, 2, backbone=str(llama), conditioning=LoraGain())
    found = kept_answers(str(answers), scorer)
    prompts = [({"role": "user", "content": text},) for text in ("w1 w2", "w7 w8")]
    wanted = Texts(scorer).items(prompts, ["w3", "w9 w1 w2"])
    assert found.ids.tolist() == wanted.ids.tolist()
    assert found.start.tolist() == wanted.start.tolist()


def test_what_cannot_be_kept_is_refused(answers, llama):
    with pytest.raises(ConfigError, match="answers of a policy, but Bilinear is none"):
        kept_answers(str(answers), Bilinear(1, 2))
    answers.write_text(json.dumps(answer("w1", "w2", False)) + "\n")
    scorer = PolicyScorer(1, 2, backbone=str(llama), conditioning=LoraGain())
    with pytest.raises(ChoiceDataError, match=r"kept.jsonl: must hold at least one finished answer"):
        kept_answers(str(answers), scorer)


def test_kept_answers_diverge_less_where_they_weigh_more(answers, llama, bert, tmp_path):
    def diverged(weight: float) -> float:
        out = tmp_path / f"run{weight}"
        given = options(llama, bert, "fsa.models.policy.PolicyScorer", out, steps=8)
        more = [f"--kept={answers}", f"--kept_weight={weight}", "--optimizer.lr=0.03"]
        policy = run_recipe(train_policy, [*given, *more])
        assert isinstance(policy, Policy)
        assert "train/kept" in (out / "metrics.csv").read_text()
        kept = kept_answers(str(answers), policy.scorer).rows(*[torch.arange(2).numpy()] * 2)
        z = policy.for_user(CHOICES).belief.mean.float().expand(2, -1)
        with torch.no_grad():
            return float(policy.scorer.divergence(kept, z).mean())

    free, held = diverged(0.0), diverged(100.0)
    assert held < free / 2
