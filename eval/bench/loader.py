"""How fast episodes become batches, and how long training waits for them."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from eval.bench.figures import Figure, seconds
from fsa.choices.sandbox import Sandbox
from fsa.choices.table import ChoiceTable
from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import ContextEncoder
from fsa.episodes.sampler import EpisodeSampler
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.bilinear import Bilinear
from fsa.models.scorer import Scorer
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.training.datamodule import EpisodeData, EpisodeSettings
from fsa.training.loop import Loop
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW
from fsa.types import EpisodeBatch

WIDTH = 129  # of features in the sandbox's recipe: 128 components and the length
_WARM = 20  # steps that are not counted


class PlainEpisodes(Dataset[dict[str, Tensor]]):
    """What one writes without thinking of speed: an item is one episode as a dict of tensors of fixed sizes.

    It draws as ours does, from Python lists of choices: users at random, context sizes from 0 to the largest,
    context and target without a prompt in common.

    Args:
        table: The choices.
        features: One vector an item.
        settings: Sizes of an episode.
        gathers: Look the vectors of a whole context up at once; else one choice at a time.
    """

    def __init__(
        self,
        table: ChoiceTable,
        features: Float[Tensor, "m d"],
        settings: EpisodeSettings,
        gathers: bool = False,
    ) -> None:
        self.features, self.gathers = features, gathers
        self.max_context, self.max_targets = settings.max_context, settings.max_targets
        self.choices: list[list[dict[str, Any]]] = [[] for _ in range(table.num_users)]
        for row, user in enumerate(table.user.tolist()):
            options = slice(*table.option_offsets[row : row + 2])
            chosen = int(table.place[options].argmin())
            choice = {"prompt": int(table.prompt[row]), "options": table.option[options].tolist()}
            self.choices[user].append({**choice, "chosen": chosen})

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        draw = random.Random(number)  # noqa: S311 # nosec B311 # draws of an experiment, to be repeated
        choices = draw.choice(self.choices)
        choices = draw.sample(choices, len(choices))
        context = choices[: min(draw.randint(0, self.max_context), len(choices) - 1)]
        seen = {choice["prompt"] for choice in context}
        target = [choice for choice in choices[len(context) :] if choice["prompt"] not in seen]
        return {
            **self._padded("context", context, self.max_context),
            **self._padded("target", target[: self.max_targets], self.max_targets),
        }

    def _padded(self, name: str, choices: list[dict[str, Any]], size: int) -> dict[str, Tensor]:
        features = torch.zeros(size, 2, self.features.shape[1])
        chosen = torch.full((size,), -1)
        if self.gathers and choices:
            items = torch.tensor([choice["options"] for choice in choices])
            features[: len(choices)] = self.features[items]
            chosen[: len(choices)] = torch.tensor([choice["chosen"] for choice in choices])
        elif choices:
            for row, choice in enumerate(choices):
                features[row] = torch.stack([self.features[item] for item in choice["options"]])
                chosen[row] = choice["chosen"]
        mask = torch.arange(size) < len(choices)
        return {f"{name}_features": features, f"{name}_chosen": chosen, f"{name}_mask": mask}


def loader_speedup(num_users: int = 600, batches: int = 200, repetitions: int = 5) -> list[Figure]:
    """Batches a second out of our loader, and how many times those of a plain data set.

    The plain one is made of dicts, and collated by `default_collate`. Same choices, same vectors, same sizes,
    one process, taken in turn.

    Args:
        num_users: Users of the sandbox, 40 choices each.
        batches: Batches of 64 episodes that ours gives in one repetition; the plain ones give a fortieth.
        repetitions: How often.
    """
    table, settings = sandbox(num_users), EpisodeSettings()
    features = _features(table)
    ours = _training_batches(EpisodeData(*samplers(table), features, settings))
    plain, gathered = (
        DataLoader(PlainEpisodes(table, features, settings, gathers), batch_size=settings.users_per_step)
        for gathers in (False, True)
    )
    few = max(batches // 40, 1)
    rates = [(_rate(ours, batches), _rate(plain, few), _rate(gathered, few)) for _ in range(repetitions + 1)]
    fast, slow, less_slow = np.array(rates[1:]).T  # the first warms up
    against = "times a plain data set of dicts with default_collate"
    return [
        Figure("loader_batches_per_second", "loader: batches of 64 episodes a second", fast),
        Figure("loader_speedup", f"loader: {against}", fast / slow, at_least=20),
        Figure(
            "loader_speedup_over_gathering",
            f"loader: {against}, vectors of a whole context looked up at once",
            fast / less_slow,
        ),
    ]


def loader_wait(num_users: int = 600, steps: int = 150, repetitions: int = 3) -> list[Figure]:
    """Share of a training step, in percent, that passes in waiting for its batch: `Loop.fit`, timed inside.

    The default recipe on one device: DeepSet, Bilinear, 64 users a step, 129 features.

    Args:
        num_users: Users of the sandbox, 40 choices each.
        steps: Steps of a training, of which the first are not counted.
        repetitions: Trainings with each number of workers, in turn.
    """
    table, default = sandbox(num_users), EpisodeSettings().num_workers
    measured = [[_waited(table, steps, workers) for workers in (default, 1)] for _ in range(repetitions)]
    share, step = np.array(measured).transpose(2, 1, 0)  # [workers, repetitions] each
    return [
        Figure(
            "loader_wait_percent",
            f"wait for a batch, % of a training step ({default} workers, the default)",
            share[0],
            at_most=5,
        ),
        Figure("loader_wait_percent_one_worker", "wait for a batch, % of a step, 1 worker", share[1]),
        Figure("step_milliseconds", f"a training step, ms ({default} workers)", step[0]),
        Figure("step_milliseconds_one_worker", "a training step, ms, 1 worker", step[1]),
    ]


class _Timed:
    """A loader, and when it was asked for a batch and when it gave one."""

    def __init__(self, loader: DataLoader[EpisodeBatch]) -> None:
        self.loader = loader
        self.asked: list[float] = []
        self.gave: list[float] = []

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[EpisodeBatch]:
        batches = iter(self.loader)
        for _ in range(len(self.loader)):
            self.asked.append(time.perf_counter())
            batch = next(batches)
            self.gave.append(time.perf_counter())
            yield batch


class TimedData(EpisodeData):
    """Training data whose loader is timed."""

    def train_dataloader(self) -> Any:
        self.timed = _Timed(super().train_dataloader())
        return self.timed


def _waited(table: ChoiceTable, steps: int, num_workers: int) -> tuple[float, float]:
    """Percent of a step that is waiting, and milliseconds of a step."""
    settings = EpisodeSettings(num_workers=num_workers, validation_episodes=10, context_sizes=(0,))
    data = TimedData(*samplers(table), _features(table), settings)
    return timed_steps(data, DeepSet(WIDTH, 16), Bilinear(WIDTH, 16), steps)


def timed_steps(data: TimedData, encoder: ContextEncoder, scorer: Scorer, steps: int) -> tuple[float, float]:
    """Percent of a step that is waiting for a batch, and milliseconds of a step.

    Args:
        data: Whose context sizes of validation are zero alone.
        encoder, scorer: What is trained.
        steps: How many, the first of which are not counted.
    """
    parts = encoder, scorer, BradleyTerryLuce(), NegativeLogLikelihood(), AdamW()
    module = ChoiceModule(*parts, num_samples=16 if encoder.has_spread else 1, context_sizes=(0,))
    loop = Loop(max_steps=steps, validate_every=steps, patience=0, devices=1, progress=False)
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as folder:
        loop.fit(module, data, Path(folder))
    waits = np.subtract(data.timed.gave, data.timed.asked)[1:]
    whole = np.diff(data.timed.gave)  # a step ends where the next has its batch
    counted = slice(min(_WARM, steps // 2), None)
    return 100 * float(waits[counted].sum() / whole[counted].sum()), 1e3 * float(whole[counted].mean())


def _rate(loader: DataLoader[Any], batches: int) -> float:
    return batches / seconds(lambda: [None for _ in islice(loader, batches)])


def _training_batches(data: EpisodeData) -> DataLoader[EpisodeBatch]:
    """The loader that training gets, without a trainer."""
    alone = {"accumulate_grad_batches": 1, "world_size": 1, "global_rank": 0}
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    trainer: Any = SimpleNamespace(**alone, global_step=0, max_steps=10**9, strategy=strategy)
    data.trainer = trainer
    return data.train_dataloader()


def samplers(table: ChoiceTable) -> tuple[EpisodeSampler, EpisodeSampler]:
    """What draws training episodes, and validation episodes without a context."""
    return EpisodeSampler(table), EpisodeSampler(table, max_context=0, in_turn=True)


def sandbox(num_users: int) -> ChoiceTable:
    """Choices of the sandbox's people, 40 each."""
    return Sandbox(num_users=num_users).load()


def _features(table: ChoiceTable) -> Float[Tensor, "m d"]:
    """Random vectors: as long as the sandbox's, and no backbone to wait for."""
    return torch.randn(table.num_items, WIDTH, generator=torch.Generator().manual_seed(0))
