"""The step of a plain language model: resumed, shared out, and validated on responses alone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from fsa.models.next_token import NextToken
from fsa.models.small_llama import SmallLlama
from fsa.training.checkpoints import CHECKPOINTS, LAST
from fsa.training.metrics_csv import METRICS
from fsa.training.optimizers import AdamW
from fsa.training.sft import NextTokenModule
from fsa.training.sft_data import SequenceData, SequenceSettings, TokenSequences
from tests.factories.torchrun import both
from tests.factories.training import CutOff, cut_off, small_loop

LENGTHS = [4, 9, 5, 7, 8, 3, 6, 5, 9, 4, 7, 6]
LOOP = {"accumulate": 2, "checkpoint_every": 3, "patience": 0}


def small_sft(seed: int = 0) -> NextTokenModule:
    """Every call gives the same weights; with dropout."""
    model, _ = SmallLlama(width=8, layers=2, heads=2, vocabulary=300).build(["a"])
    model.config.attention_dropout = 0.1
    for block in model.model.layers:
        block.self_attn.attention_dropout = 0.1
    L.seed_everything(0, verbose=False)
    return NextTokenModule(NextToken(model), AdamW(lr=0.01), seed)


def small_sequences(**settings: Any) -> SequenceData:
    """A dozen sequences in steps of at most 27 tokens; every call gives the same."""
    draw = np.random.default_rng(0)
    rows = TokenSequences(
        [draw.integers(3, 259, length) for length in LENGTHS], [length // 2 for length in LENGTHS]
    )
    return SequenceData(rows, rows, SequenceSettings(27, **settings), seed=4)


def same_weights(one: NextTokenModule, other: NextTokenModule) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_validation_is_nats_per_response_token_whatever_training_counts(fit: Callable, tmp_path: Path):
    module, data = small_sft(), small_sequences(count_prompt=True)
    module.optimizer.lr = 0.0
    outcome = fit(module, data, max_steps=1, validate_every=1)
    nats, tokens = 0.0, 0
    module.eval()
    for ids, start in zip(data.train.ids, data.train.starts, strict=True):
        logits = module.next_token.model(torch.from_numpy(ids)[None]).logits[0]
        wanted = torch.from_numpy(ids)[start:]
        nats += float(functional.cross_entropy(logits[start - 1 : -1], wanted, reduction="sum").detach())
        tokens += len(ids) - start
    assert outcome["validation_nll"] == pytest.approx(nats / tokens, rel=1e-5)


# Checkpoints are at 3, 4, 6, 8, 9 and 12; 4, 8 and 12 are validated.
@pytest.mark.parametrize("step", [1, 4, 7, 10])
def test_a_run_cut_off_at_any_step_ends_as_if_nothing_had_happened(fit: Callable, tmp_path: Path, step: int):
    whole = small_sft()
    expected = fit(whole, small_sequences(), "whole", **LOOP)
    with pytest.raises(CutOff):
        fit(cut_off(small_sft(), step), small_sequences(num_workers=1), "cut", **LOOP)
    resumed = small_sft()
    assert fit(resumed, small_sequences(), "cut", resume=True, **LOOP) == expected
    assert same_weights(whole, resumed)
    assert (tmp_path / "cut" / METRICS).read_text() == (tmp_path / "whole" / METRICS).read_text()
    last = [torch.load(tmp_path / run / CHECKPOINTS / LAST, weights_only=True) for run in ("whole", "cut")]
    assert_close(last[0]["state_dict"], last[1]["state_dict"], atol=0, rtol=0)


def test_dropout_and_order_come_from_the_seed(fit: Callable):
    def trained(seed: int) -> NextTokenModule:
        fit(module := small_sft(seed), small_sequences())
        return module

    assert same_weights(trained(0), trained(0))
    assert not same_weights(trained(0), trained(1))


def without_dropout() -> NextTokenModule:
    module = small_sft()
    for block in module.next_token.model.model.layers:
        block.self_attn.attention_dropout = 0.0
    return module


def train(out: Path, **loop: Any) -> dict[str, torch.Tensor]:
    """What every process runs: the weights, and the best validation as `score`."""
    out.mkdir(parents=True, exist_ok=True)
    module = without_dropout()
    settings = {"max_steps": 6, "validate_every": 3, "patience": 0, "clip": 0.5}
    outcome = small_loop(**settings, **loop).fit(module, small_sequences(), out)
    return {**module.state_dict(), "score": torch.tensor(outcome["validation_nll"])}


@pytest.mark.parametrize("accumulate", [2, 8])  # of at most nine rows a step
def test_a_step_is_the_same_in_any_number_of_batches(tmp_path: Path, accumulate: int):
    assert_close(train(tmp_path / "a"), train(tmp_path / "b", accumulate=accumulate), atol=1e-5, rtol=0)


def test_bf16_stays_near_and_keeps_weights_in_full_precision(tmp_path: Path):
    exact, rough = train(tmp_path / "exact"), train(tmp_path / "rough", precision="bf16-mixed")
    assert {value.dtype for value in rough.values()} == {torch.float32}
    assert_close(rough["score"], exact["score"], atol=0.02, rtol=0)


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, torch.Tensor]]:
    """Weights after the same run in two processes on gloo, by strategy."""
    out = tmp_path_factory.mktemp("two")
    both(in_each, out)
    return torch.load(out / "weights.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_take_the_steps_of_one(of_two: dict, tmp_path: Path, strategy: str):
    assert_close(of_two[strategy], train(tmp_path), atol=1e-5, rtol=0)


def in_each(folder: Path) -> None:
    """What each of two processes does."""
    weights = {
        strategy: train(folder / strategy, devices=2, strategy=strategy) for strategy in ("ddp", "fsdp")
    }
    if os.environ["RANK"] == "0":
        torch.save(weights, folder / "weights.pt")
