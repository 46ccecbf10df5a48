"""The bench of policies at a tiny size: the same tokens for all, the right steps counted, ratios."""

import math
from importlib.util import find_spec

import pytest

import eval.bench.policy as bench_policy
from eval.bench.policy import policy_against_trl
from tests.fsa.conftest import own_cache

__all__ = ["own_cache"]

pytestmark = pytest.mark.usefixtures("own_cache")

needs_trl = pytest.mark.skipif(find_spec("trl") is None, reason="TRL is not installed")


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
