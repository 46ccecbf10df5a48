"""Training steps, timed in a process of their own: `python -m eval.bench.policy_step JSON`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eval.bench.clock import Clock, loaded_memory
from eval.bench.loader import WIDTH
from eval.bench.policy_data import TABLE
from eval.bench.trl import pairs_of, trl_dpo, trl_reward
from fsa.choices.table import ChoiceTable
from fsa.conditioning.lora_gain import LoraGain
from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import ContextEncoder
from fsa.encoders.no_context import NoContext
from fsa.episodes.sampler import EpisodeSampler
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.language_scorer import LanguageScorer
from fsa.models.policy import PolicyScorer
from fsa.models.reward_lm import RewardLM
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.outputs.item_tokens import item_tokens
from fsa.training.datamodule import EpisodeData, EpisodeSettings
from fsa.training.loop import Loop
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW
from fsa.types import EpisodeBatch

LORA: dict[str, Any] = {"rank": 8, "alpha": 16}  # on all linear layers but the head
_D_BELIEF = 16
_MAX_CONTEXT = 10


class WithoutGains(LoraGain):
    """Hooks that do nothing for any person: plain LoRA by the same code."""

    def given(self, z: Tensor, repeats: int = 1) -> Any:
        return self.unconditional()


class TimedModule(ChoiceModule):
    """The training step, and a clock that is told of each; every loss has to be a number."""

    clock: Clock

    def training_step(self, batch: EpisodeBatch, batch_idx: int) -> Tensor:
        assert batch.target.tokens is not None
        self.clock.step(int(batch.target.tokens.mask.sum()))
        return super().training_step(batch, batch_idx)


def measure(what: str, folder: Path, steps: int, pairs: int, warm: int) -> dict[str, float]:
    """Train for a few steps on the pairs that every other `what` gets, and say what it took.

    Args:
        what: One of `MEASURED`.
        folder: What `bench_policy_data.make` wrote.
        steps: Steps, of which the last is not counted.
        pairs: Pairs of a step.
        warm: Steps at the start that are not counted either.

    Returns:
        See `Clock.read`.
    """
    table = ChoiceTable.open(folder / TABLE)
    return MEASURED[what](table, folder, steps=steps, pairs=pairs, warm=warm)


def _ours(
    table: ChoiceTable,
    folder: Path,
    *,
    scorer: type[LanguageScorer],
    encoder: type[ContextEncoder],
    conditioning: type[LoraGain],
    steps: int,
    pairs: int,
    warm: int,
) -> dict[str, float]:
    """Training as `train.policy` runs it, on a user's random features: as long as the sandbox's."""
    torch.manual_seed(0)
    scoring = scorer(
        WIDTH,
        _D_BELIEF,
        backbone=str(folder),
        conditioning=conditioning(),
        max_tokens=4096,
        **LORA,
    )
    clock = Clock(warm, loaded_memory(scoring))
    tokens = item_tokens(table, scoring)
    features = torch.randn(table.num_items, WIDTH)
    settings = EpisodeSettings(
        max_context=_MAX_CONTEXT,
        max_targets=1,
        users_per_step=pairs,
        validation_episodes=1,
        context_sizes=(0,),
    )
    data = EpisodeData(_sampler(table), _sampler(table), features, settings, tokens)
    reader = encoder(WIDTH, _D_BELIEF)
    parts = reader, scoring, BradleyTerryLuce(), NegativeLogLikelihood(), AdamW(lr=1e-6)
    module = TimedModule(*parts, context_sizes=(0,))
    module.clock = clock
    loop = Loop(
        max_steps=steps, validate_every=steps, patience=0, accelerator="cpu", devices=1, progress=False
    )
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as out:
        loop.fit(module, data, Path(out))
    return clock.read()


def _theirs(
    table: ChoiceTable, folder: Path, *, trainer: Any, steps: int, pairs: int, warm: int
) -> dict[str, float]:
    rows = _sampler(table).draw(np.arange(steps * pairs)).target[:, 0]
    found: dict[str, float] = trainer(folder, pairs_of(table, rows.tolist()), pairs, warm, **LORA)
    return found


def _sampler(table: ChoiceTable) -> EpisodeSampler:
    return EpisodeSampler(table, _MAX_CONTEXT, max_targets=1)


_LORA_ALONE: dict[str, Any] = {"encoder": NoContext, "conditioning": WithoutGains}
_STEERED: dict[str, Any] = {"encoder": DeepSet, "conditioning": LoraGain}
MEASURED: Mapping[str, Any] = {
    "np_dpo": partial(_ours, scorer=PolicyScorer, **_STEERED),
    "dpo": partial(_ours, scorer=PolicyScorer, **_LORA_ALONE),
    "reward_lm": partial(_ours, scorer=RewardLM, **_STEERED),
    "trl_dpo": partial(_theirs, trainer=trl_dpo),
    "trl_reward": partial(_theirs, trainer=trl_reward),
}
"""What can be measured, by name."""


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    found = measure(wanted.pop("what"), Path(wanted.pop("folder")), **wanted)
    print(json.dumps(found))
