"""What the default costs beside the one before it: a training step, a whole training, and scoring."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eval.bench.asking import default_config, default_parts
from eval.bench.figures import Figure, seconds
from eval.bench.loader import TimedData, samplers, sandbox, timed_steps
from eval.bench.score import cache_in, person_of, save_model, some_texts
from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import ContextEncoder
from fsa.models.bilinear import Bilinear
from fsa.models.scorer import Scorer
from fsa.recipes.configured import preset
from fsa.recipes.reward import train_reward
from fsa.runs.folder import META, read_json, write_json
from fsa.runs.safe_yaml import read_mapping
from fsa.training.checkpoints import BEST, CHECKPOINTS
from fsa.training.datamodule import EpisodeSettings

_NOW, _BEFORE = 385, 33  # features: all of MiniLM's components and the length, and 32 of them
_CHOICES = 40  # texts that the projections are fitted on, and the person's choices made of
_BEFORE_PARTS: dict[str, Any] = {
    "encoder": "fsa.encoders.deep_set.DeepSet",
    "scorer": "fsa.models.bilinear.Bilinear",
    "projection": {"num_components": 32},
}


def default_cost(
    num_users: int = 600,
    steps: int = 100,
    candidates: int = 1000,
    repetitions: int = 3,
    backbone: str = "minilm",
    training: Sequence[str] = (),
) -> list[Figure]:
    """Cost of `configs/reward/default.yaml` over that of the default of version 0.1 (32 components, DeepSet).

    Args:
        num_users: Users of the sandbox to train on, 40 choices each.
        steps: Training steps of 64 users, the first of which are not counted.
        candidates: Texts to score for one person, features included.
        repetitions: How often, in turn.
        backbone: As `HiddenState` takes it.
        training: Options of `train.reward`, for both trainings of `configs/reward/sandbox.yaml`.
    """
    table = sandbox(num_users)
    steps_of_both, scoring = [], []
    for _ in range(repetitions):
        now = _step(table, _NOW, *default_parts(_NOW), steps)
        former = [
            _step(table, width, DeepSet(width, 16), Bilinear(width, 16), steps) for width in (_BEFORE, _NOW)
        ]
        steps_of_both.append((now, *former))
        scoring.append(_scoring(candidates, backbone))
    now, before, before_wide = np.array(steps_of_both).T
    score, score_before = np.array(scoring).T
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as name, cache_in(Path(name) / "cache"):
        options = [f"--features.backbone={backbone}", "--loop.progress=false", *training]
        config = _former(Path(name) / "former.yaml")
        _until_best(Path(name) / "features", config, [*options, "--loop.max_steps=1"])
        best, nll = _until_best(Path(name) / "now", preset("reward/sandbox"), options)
        best_before, nll_before = _until_best(Path(name) / "before", config, options)
    return [
        Figure("default_step", "default: a training step, times the former", now / before, at_most=1.5),
        Figure("default_step_milliseconds", "default: a training step, ms", now),
        Figure(
            "default_step_wide",
            "the former default on all components: a training step, times the former",
            before_wide / before,
        ),
        Figure(
            "default_scoring",
            f"default: scoring {candidates:,} candidates, times the former default",
            score / score_before,
            at_most=1.1,
        ),
        Figure(
            "default_training",
            "default: a training up to its best validation, times the former",
            [best / best_before],
            at_most=2,
        ),
        Figure("default_training_seconds", "default: a training up to its best validation, s", [best]),
        Figure("default_nll", "default: best validation NLL, nats a choice", [nll]),
        Figure("default_nll_former", "the former default: best validation NLL, nats a choice", [nll_before]),
    ]


def _former(file: Path) -> Path:
    """`configs/reward/sandbox.yaml` as it was in version 0.1: the recipe's own parts, and more components."""
    parts = {
        name: part
        for name, part in read_mapping(preset("reward/sandbox")).items()
        if name in ("source", "splits", "features")
    }
    components = {"class_path": "fsa.features.projection.Projection", "init_args": {"num_components": 128}}
    loop = {"class_path": "fsa.training.loop.Loop", "init_args": {"max_steps": 2000, "validate_every": 200}}
    write_json(file, {**parts, "projection": components, "loop": loop})
    return file


def _until_best(out: Path, config: Path, options: Sequence[str]) -> tuple[float, float]:
    """Seconds until the best weights of a training on the sandbox were written, and their validation NLL."""
    began = time.time()
    run_recipe(train_reward, [f"--config={config}", *options, f"--out={out}"])
    return (out / CHECKPOINTS / BEST).stat().st_mtime - began, read_json(out / META)["validation_nll"]


def _step(table: ChoiceTable, width: int, encoder: ContextEncoder, scorer: Scorer, steps: int) -> float:
    """Milliseconds of a training step."""
    features = torch.randn(table.num_items, width, generator=torch.Generator().manual_seed(0))
    settings = EpisodeSettings(validation_episodes=10, context_sizes=(0,))
    return timed_steps(TimedData(*samplers(table), features, settings), encoder, scorer, steps)[1]


def _parts(config: Mapping[str, Any]) -> dict[str, Any]:
    """What `random_model` takes, from a preset."""
    return {
        "encoder": config["encoder"]["class_path"],
        "scorer": config["scorer"],
        "projection": config["projection"]["init_args"],
        "d_belief": config["d_belief"],
        **config["encoder"]["init_args"],
    }


def _scoring(candidates: int, backbone: str) -> tuple[float, float]:
    """Seconds of scoring with both heads, nothing in the feature store."""
    heads = {"now": _parts(default_config()), "before": _BEFORE_PARTS}
    prompt, texts = some_texts(candidates + _CHOICES)
    taken = []
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as folder:
        for name, parts in heads.items():
            with cache_in(Path(folder) / f"cache-{name}"):
                save_model(Path(folder) / name, backbone, texts[candidates:], parts)
                person = person_of(Path(folder) / name, prompt, texts[candidates:])
                taken.append(seconds(partial(person.score, prompt, texts[:candidates])))
    return taken[0], taken[1]
