"""The bench of policies at a tiny size: the same tokens for all, the right steps counted, ratios."""

import math
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

import eval.bench.clock as bench_clock
import eval.bench.policy as bench_policy
from eval.bench.clock import Clock
from eval.bench.policy import policy_against_trl
from eval.bench.policy_data import TABLE, Sizes, make
from eval.bench.policy_step import MEASURED, measure
from eval.bench.trl import pairs_of
from fsa.choices.table import ChoiceTable
from tests.fsa.conftest import own_cache

__all__ = ["own_cache"]

pytestmark = pytest.mark.usefixtures("own_cache")

TINY = Sizes(vocabulary=600, width=32, layers=2, heads=2, shorter=16, max_tokens=40, pairs=2)
TINY = replace(TINY, users=4, choices_per_user=6)
needs_trl = pytest.mark.skipif(find_spec("trl") is None, reason="TRL is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    return folder, make(folder, TINY)


def test_the_model_is_as_large_as_asked_and_its_head_is_a_share(folder):
    path, share = folder
    model = AutoModelForCausalLM.from_pretrained(path)
    inner = 88  # 8/3 of 32 is 85.3: the nearest multiple of 8
    layer = 4 * 32 * 32 + 3 * 32 * inner + 2 * 32  # attention, feed-forward, two norms
    assert model.config.vocab_size == 600
    assert share == pytest.approx(600 * 32 / (600 * 32 + 2 * layer + 32))
    assert sum(weight.numel() for weight in model.parameters()) == 600 * 32 + 2 * layer + 32


def test_lengths_are_ragged_and_fit(folder):
    table = ChoiceTable.open(folder[0] / TABLE)
    tokenizer = AutoTokenizer.from_pretrained(folder[0])
    pairs = pairs_of(table, range(len(table)))
    lengths = [len(tokenizer(pair["prompt"] + pair["chosen"]).input_ids) for pair in pairs]
    assert len(set(lengths)) > 5
    assert max(lengths) <= 2 * TINY.max_tokens  # of so few tokens, words are made of several
    for row in range(len(table)):
        choice = table.choice(row)
        assert choice.options[0] != choice.options[1]
    for user in table.users.to_pylist():
        prompts = [table.choice(row).prompt for row in table.rows_of(user)]
        assert len(set(prompts)) == len(prompts) == 6


def test_a_pair_is_a_choice_with_the_blank_line_that_ours_put_in(folder):
    table = ChoiceTable.open(folder[0] / TABLE)
    (pair,) = pairs_of(table, [3])
    choice = table.choice(3)
    assert pair["prompt"] == f"{choice.prompt}\n\n"
    assert pair["chosen"] == choice.options[choice.outcome.places(2).index(0)]
    assert pair["rejected"] == choice.options[choice.outcome.places(2).index(1)]


@needs_trl
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_kind_of_step_reads_the_same_tokens(folder):
    tokens = {}
    for what in MEASURED:
        found = measure(what, folder[0], steps=4, pairs=TINY.pairs, warm=1)
        assert found["steps"] == 2
        assert found["seconds"] > 0
        tokens[what] = found["tokens"]
    assert len(set(tokens.values())) == 1, tokens
    assert set(tokens) == {"np_dpo", "dpo", "reward_lm", "trl_dpo", "trl_reward"}


def test_a_clock_leaves_out_warming_up_and_the_last_step(monkeypatch):
    now = iter([10.0, 20.0, 23.0, 27.0])
    monkeypatch.setattr(bench_clock.time, "perf_counter", lambda: next(now))
    monkeypatch.setattr(bench_clock, "resident", lambda: (100.0, 150.0))
    monkeypatch.setattr(bench_clock, "forget_peak", lambda: None)
    clock = Clock(warm=1, loaded=110.0)
    for tokens in (1, 10, 100, 1000):
        clock.step(tokens)
    found = clock.read()
    # Steps 2 and 3 count: they start at 20 and end where the fourth starts, at 27.
    assert (found["steps"], found["tokens"], found["seconds"]) == (2, 110, 7.0)
    assert found["megabytes"] == 40.0


def test_the_peak_can_be_forgotten():
    large = np.ones(40_000_000)  # 320 MB, for a moment
    del large
    before = bench_clock.resident()[1]
    bench_clock.forget_peak()
    now, peak = bench_clock.resident()
    assert peak <= before
    assert peak - now < 100


def measured(tokens: float = 100.0) -> dict[str, dict[str, float]]:
    """What each kind of step takes: NP-DPO 2 s, plain LoRA 1.9 s, TRL 8 s and so on."""
    seconds = {"np_dpo": 2.0, "dpo": 1.9, "trl_dpo": 8.0, "reward_lm": 1.0, "trl_reward": 1.5}
    megabytes = {"np_dpo": 50.0, "dpo": 40.0, "trl_dpo": 200.0, "reward_lm": 30.0, "trl_reward": 60.0}
    return {
        kind: {
            "tokens": tokens,
            "seconds": took,
            "processor_seconds": 2 * took,
            "megabytes": megabytes[kind],
        }
        for kind, took in seconds.items()
    }


@needs_trl
def test_ratios_are_the_right_way_up(monkeypatch):
    monkeypatch.setattr(bench_policy, "make", lambda *_: 0.05)
    monkeypatch.setattr(bench_policy, "_in_own_process", lambda kind, *_: measured()[kind])
    figures = {figure.metric: figure for figure in policy_against_trl(repetitions=2)}
    assert figures["np_dpo_speedup"].value == 4.0  # 8 s against 2 s
    assert figures["np_dpo_memory"].value == 0.25
    assert figures["np_dpo_tokens_per_second"].value == 50.0
    assert figures["steered_step"].value == pytest.approx(2 / 1.9)
    assert figures["reward_lm_speedup"].value == 1.5
    assert figures["small_head_np_dpo_speedup"].value == 4.0
    assert "head 5 % of the weights" in figures["small_head_np_dpo_speedup"].words
    limits = {name: figure.limit for name, figure in figures.items() if figure.limit}
    assert limits == {
        "steered_step": "at most 1.08",
        "np_dpo_speedup": "at least 3",
        "np_dpo_memory": "at most 0.6",
        "reward_lm_speedup": "at least 1",
        "small_head_np_dpo_speedup": "at least 1.2",
    }
    assert all(math.isfinite(figure.value) and len(figure.values) == 2 for figure in figures.values())


def test_other_tokens_for_one_stop_the_bench(monkeypatch):
    monkeypatch.setattr(bench_policy, "make", lambda *_: 0.05)
    wrong = {**measured(), "dpo": measured(99.0)["dpo"]}
    monkeypatch.setattr(bench_policy, "_in_own_process", lambda kind, *_: wrong[kind])
    with pytest.raises(SystemExit, match="not the same tokens"):
        policy_against_trl(repetitions=1)


def test_without_trl_the_rest_is_measured_and_that_is_said(monkeypatch, capsys):
    monkeypatch.setattr(bench_policy, "find_spec", lambda name: None)
    monkeypatch.setattr(bench_policy, "make", lambda *_: 0.05)
    monkeypatch.setattr(bench_policy, "_in_own_process", lambda kind, *_: measured()[kind])
    metrics = {figure.metric for figure in policy_against_trl(repetitions=1)}
    assert metrics == {"steered_step", "steered_step_processor"}
    assert "TRL, which is not installed" in capsys.readouterr().err


def test_a_failed_measurement_is_told(tmp_path):
    with pytest.raises(SystemExit, match="nothing-like-this"):
        bench_policy._in_own_process("nothing-like-this", tmp_path, steps=1, pairs=1)
