"""The strength of a trained policy: which one is taken, and what becomes of the run."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fsa import Policy
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.runs import Settings, opened
from fsa.recipes.policy import train_policy
from fsa.recipes.reward import train_reward
from fsa.recipes.strength import StrengthSearch, fit_strength, search
from tests.factories.lines import jsonl
from tests.fsa.conftest import bert, llama, own_cache, tokenizer
from tests.fsa.recipes.test_policy import options

__all__ = ["bert", "llama", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")

SETTINGS = Settings([3], "validation", 12, 1, seed=1)


def predictions(nll: list[float], user: list[int]) -> Predictions:
    blank = np.zeros(len(nll))
    return Predictions(blank, np.array(user), blank, blank, blank, np.array(nll), blank, blank, blank)


@pytest.fixture
def given(llama, bert, tmp_path) -> list[str]:
    """A policy of four steps at a large rate, so that it leaves its reference, on words that it can read."""
    lines = [
        {
            "user": f"u{i}",
            "group": "ab"[i % 2],
            "prompt": f"w{j}",
            "chosen": f"w{j + 1} w{j + 2}",
            "rejected": f"w{j + 3}",
        }
        for i in range(24)
        for j in range(i % 5, i % 5 + 6)
    ]
    path = jsonl(tmp_path / "choices.jsonl", lines)
    kept = [
        one
        for one in options(llama, bert, "fsa.models.policy.PolicyScorer", tmp_path / "run")
        if not one.startswith("--source")
    ]
    return ["--source=fsa.choices.jsonl.Jsonl", f"--source.path={path}", *kept, "--optimizer.lr=0.05"]


@pytest.fixture
def run(given, tmp_path) -> Path:
    run_recipe(train_policy, given)
    return tmp_path / "run"


def test_the_smallest_strength_within_one_standard_error_of_the_best_is_taken():
    # Two people. Person 0 made two choices, which count as one number: at strength 1 (0.2 + 0.6) / 2 = 0.4.
    users = [0, 0, 1]
    found = StrengthSearch.of(
        {
            2.0: predictions([0.3, 0.3, 0.3], users),  # 0.3 and 0.3: the best
            1.0: predictions([0.2, 0.6, 0.3], users),  # 0.4 and 0.3: 0.05 behind, error 0.05
            0.5: predictions([0.5, 0.5, 0.4], users),  # 0.5 and 0.4: 0.15 behind, error 0.05
        }
    )
    assert found.strengths == (0.5, 1.0, 2.0)
    assert found.nll == pytest.approx((0.45, 0.35, 0.3))
    assert found.behind == pytest.approx((0.15, 0.05, 0))
    # Differences 0.1 and 0: standard deviation 0.1 / sqrt(2), over sqrt(2) people 0.05.
    assert found.error == pytest.approx((0.05, 0.05, 0))
    assert found.taken == pytest.approx(1.0)


def test_one_person_alone_takes_the_best():
    found = StrengthSearch.of({1.0: predictions([0.4], [7]), 3.0: predictions([0.3], [7])})
    assert (found.taken, found.num_people) == (3.0, 1)


def test_a_strength_is_that_much_more_alpha_and_the_search_leaves_the_model_as_it_was(run, tmp_path):
    at = opened(run, SETTINGS, {})
    before = {name: weight.clone() for name, weight in at.model.state_dict().items()}
    found = search(at, 3, [0.3, 4.0])
    assert found.strengths == (0.3, 1.0, 4.0)
    assert all(torch.equal(weight, before[name]) for name, weight in at.model.state_dict().items())
    assert len(set(found.nll)) == 3
    for strength, nll in zip(found.strengths, found.nll, strict=True):
        copy = tmp_path / f"at{strength}"
        shutil.copytree(run, copy)
        config = json.loads((copy / "config.json").read_text())
        config["scorer"]["init_args"]["alpha"] *= strength
        (copy / "config.json").write_text(json.dumps(config))
        other = opened(copy, SETTINGS, {}).predict(3)
        people = [other.nll[other.user == user].mean() for user in np.unique(other.user)]
        assert nll == pytest.approx(np.mean(people), abs=1e-6)


def test_a_policy_as_near_to_its_reference_as_rounding_predicts_nothing(run):
    at = opened(run, SETTINGS, {})
    assert (at.predict(3).correct != 0.5).all()
    at.model.scorer.language_model.scale(1e-6)
    found = at.predict(3)
    assert (found.nll != np.log(2)).any()  # rounding tells the options apart,
    assert (found.correct == 0.5).all()  # and is no prediction
    assert (found.flip_correct == 0.5).all()


def test_a_dedicated_policy_is_searched_on_its_own_group_alone(given, tmp_path):
    run_recipe(train_policy, [*given, "--only-group=b"])
    at = opened(tmp_path / "run", SETTINGS, {})
    found = search(at, 3, [1.0])
    its = at.predict(3)
    people = np.unique(its.user)
    assert 1 < found.num_people == len(people) < len(np.unique(at.at.episodes.user))
    assert found.nll[0] == pytest.approx(np.mean([its.nll[its.user == user].mean() for user in people]))


def test_a_dedicated_policy_none_of_whose_people_is_asked_says_so(given, tmp_path):
    run_recipe(train_policy, [*given, "--only_group=b", "--strengths=[]"])
    with pytest.raises(ConfigError, match=r"none of 1 validation episodes is of group 'b'.*more --episodes"):
        fit_strength(str(tmp_path / "run"), [2.0], episodes=1)


def test_what_is_taken_is_in_the_run_and_in_its_adapters_and_is_chosen_once(run, tmp_path, monkeypatch):
    plain = Policy.from_pretrained(run)
    monkeypatch.setattr(StrengthSearch, "taken", 2.0)
    found = fit_strength(str(run), [2.0], episodes=12)
    meta = json.loads((run / "meta.json").read_text())["strength"]
    assert meta["taken"] == 2.0
    assert [each["strength"] for each in meta["tried"]] == [1.0, 2.0]
    assert meta["people"] == found.num_people > 1
    opened_again = Policy.from_pretrained(run)
    choices = [{"prompt": f"w{i}", "chosen": f"w{i + 1} w9", "rejected": "w3 w4 w5"} for i in range(3)]
    for model, folder in ((plain, "plain"), (opened_again, "scaled")):
        model.for_user(choices).save_adapter(tmp_path / folder)
    once, twice = (
        load_file(tmp_path / folder / "adapter_model.safetensors") for folder in ("plain", "scaled")
    )
    for name, weight in once.items():
        assert torch.equal(twice[name], weight * (2 if "lora_B" in name else 1))
    assert any(weight.any() for name, weight in once.items() if "lora_B" in name)
    with pytest.raises(ConfigError, match="strength 2 was chosen before"):
        fit_strength(str(run))


def test_one_leaves_the_weights_as_they_are(run, monkeypatch):
    weights = run / "model.safetensors"
    before = weights.read_bytes(), weights.stat().st_mtime_ns
    monkeypatch.setattr(StrengthSearch, "taken", 1.0)
    fit_strength(str(run), [2.0], episodes=12)
    assert (weights.read_bytes(), weights.stat().st_mtime_ns) == before


def test_training_ends_with_the_search_where_strengths_are_named(given, tmp_path):
    trained = run_recipe(train_policy, [*given, "--strengths=[0.5, 2]"])
    assert isinstance(trained, Policy)
    found = json.loads((tmp_path / "run/meta.json").read_text())["strength"]
    assert [each["strength"] for each in found["tried"]] == [0.5, 1.0, 2.0]
    assert all(math.isfinite(each["nll"]) for each in found["tried"])
    mine, saved = trained.state_dict(), Policy.from_pretrained(tmp_path / "run").state_dict()
    assert all(torch.equal(mine[name], saved[name]) for name in saved)


def test_only_a_policy_whose_adapters_are_all_of_it_has_a_strength(llama, bert, tmp_path):
    film = [
        one.replace("lora_gain.LoraGain", "film_blocks.FilmBlocks")
        for one in options(llama, bert, "fsa.models.policy.PolicyScorer", tmp_path / "film")
    ]
    run_recipe(train_policy, film)
    with pytest.raises(ConfigError, match="FilmBlocks changes activations too"):
        fit_strength(str(tmp_path / "film"))
    head = options(llama, bert, "fsa.models.bilinear.Bilinear", tmp_path / "reward")
    run_recipe(train_reward, [one for one in head if "scorer." not in one])
    with pytest.raises(ConfigError, match="is no policy"):
        fit_strength(str(tmp_path / "reward"))
    with pytest.raises(ConfigError, match="strengths"):
        fit_strength(str(tmp_path / "film"), [0.0])
