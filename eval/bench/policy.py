"""Training a steered policy and a reward LM against TRL: tokens a second and memory, a process each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from eval.bench.figures import Figure
from eval.bench.policy_data import Sizes, make

LARGE_HEAD = Sizes()
SMALL_HEAD = Sizes(vocabulary=3072, width=512, heads=8)
_WARM = 1  # steps that are not counted
_SKIPPED = 'Skipped: policies and reward LMs against TRL, which is not installed: pip install "fsa[bench]"'

Measured = dict[str, list[dict[str, float]]]
"""What `Clock.read` gives, once a repetition, of every kind of step."""


def policy_against_trl(
    steps: int = 6,
    repetitions: int = 3,
    *,
    more_steps: int = 3,
    large_head: Sizes = LARGE_HEAD,
    small_head: Sizes = SMALL_HEAD,
) -> list[Figure]:
    """NP-DPO against TRL's `DPOTrainer`, a steered reward LM against its `RewardTrainer`, gains against none.

    Same weights, pairs, order, batch, LoRA and float32; no activation is computed twice to save memory; the
    reference's log-probabilities are there before training. Each in a process of its own, taken in turn.
    Without TRL only what needs none is measured, and that is said.

    Args:
        steps: Steps counted; one warms up, and one ends the last.
        repetitions: How often.
        more_steps: Times as many where steps are fast and the difference small.
        large_head: A model that is mostly head.
        small_head: One that has less than a tenth of its weights in its head.
    """
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as work:
        large, small = Path(work) / "large-head", Path(work) / "small-head"
        make(large, large_head)
        many, pairs = more_steps * steps, large_head.pairs
        figures = _gains(_measured(["np_dpo", "dpo"], large, many, repetitions, pairs))
        if find_spec("trl") is None:
            print(_SKIPPED, file=sys.stderr)
            return figures
        against_dpo = _measured(["np_dpo", "trl_dpo"], large, steps, repetitions, pairs)
        rewards = _measured(["reward_lm", "trl_reward"], large, many, repetitions, pairs)
        name = f"NP-DPO, head {100 * make(small, small_head):.0f} % of the weights"
        light = _measured(["np_dpo", "trl_dpo"], small, steps, repetitions, small_head.pairs)
    return [
        *figures,
        *_against(against_dpo, "np_dpo", "trl_dpo", "NP-DPO, large head", speedup=3, memory=0.6),
        *_against(rewards, "reward_lm", "trl_reward", "reward LM", speedup=1),
        *_against(light, "np_dpo", "trl_dpo", name, speedup=1.2, prefix="small_head_"),
    ]


def _measured(kinds: Sequence[str], folder: Path, steps: int, repetitions: int, pairs: int) -> Measured:
    """Every kind of step measured, in turn.

    Raises:
        SystemExit: A measurement failed, or two trained on different tokens.
    """
    found: Measured = {kind: [] for kind in kinds}
    for _ in range(repetitions):
        for kind in kinds:
            found[kind].append(_in_own_process(kind, folder, steps + _WARM + 1, pairs))
    tokens = {kind: {each["tokens"] for each in measured} for kind, measured in found.items()}
    if len(set.union(*tokens.values())) != 1:
        sys.exit(f"not the same tokens were trained on: {tokens}")
    return found


def _in_own_process(kind: str, folder: Path, steps: int, pairs: int) -> dict[str, float]:
    """One measurement; the reference's log-probabilities and whatever TRL keeps go into the folder."""
    wanted = {"what": kind, "folder": str(folder), "steps": steps, "pairs": pairs, "warm": _WARM}
    command = [sys.executable, "-m", "eval.bench.policy_step", json.dumps(wanted)]
    caches = {"FSA_CACHE": f"{folder}/fsa", "HF_DATASETS_CACHE": f"{folder}/datasets", "TQDM_DISABLE": "1"}
    done = subprocess.run(  # noqa: S603 # nosec B603 # our own module, no shell
        command, capture_output=True, text=True, check=False, env={**os.environ, **caches}
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])  # trainers print before
    return found


def _against(
    measured: Measured,
    ours: str,
    theirs: str,
    name: str,
    speedup: float,
    memory: float | None = None,
    prefix: str = "",
) -> list[Figure]:
    """Our steps against TRL's: tokens a second, memory, and both in numbers of their own."""
    mine, other = measured[ours], measured[theirs]
    fast, slow = _rates(mine), _rates(other)
    small, large = ([each["megabytes"] for each in found] for found in (mine, other))
    by_processor = _over(_rates(mine, "processor_seconds"), _rates(other, "processor_seconds"))
    metric = f"{prefix}{ours}"
    return [
        Figure(f"{metric}_speedup", f"{name}: times TRL's tokens a second", _over(fast, slow), speedup),
        Figure(f"{metric}_speedup_processor", f"{name}: the same by processor time", by_processor),
        Figure(
            f"{metric}_memory",
            f"{name}: times TRL's memory above the loaded model",
            _over(small, large),
            at_most=memory,
        ),
        Figure(f"{metric}_tokens_per_second", f"{name}: tokens a second, without padding", fast),
        Figure(f"{prefix}{theirs}_tokens_per_second", f"{name}: TRL's tokens a second", slow),
        Figure(f"{metric}_megabytes", f"{name}: MB above the loaded model", small),
        Figure(f"{prefix}{theirs}_megabytes", f"{name}: TRL's MB above the loaded model", large),
    ]


def _gains(measured: Measured) -> list[Figure]:
    said = "a steered step, encoder and gains: times one of plain LoRA"
    steered, plain = measured["np_dpo"], measured["dpo"]
    by_processor = _over(_rates(plain, "processor_seconds"), _rates(steered, "processor_seconds"))
    return [
        Figure("steered_step", said, _over(_rates(plain), _rates(steered)), at_most=1.08),
        Figure("steered_step_processor", "the same by processor time", by_processor),
    ]


def _rates(measured: Sequence[dict[str, float]], clock: str = "seconds") -> list[float]:
    return [each["tokens"] / each[clock] for each in measured]


def _over(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(above, below, strict=True)]
