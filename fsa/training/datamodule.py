"""`EpisodeData`: training episodes without end, and validation episodes that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import lightning as L
import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fsa.episodes.dataset import EpisodeBatches, collate
from fsa.episodes.sampler import EpisodeRows, EpisodeSampler
from fsa.episodes.tokens import ItemTokens
from fsa.errors import ConfigError
from fsa.settings import setting, settings
from fsa.types import EpisodeBatch


@settings
class EpisodeSettings:
    """How episodes are drawn in training and validation."""

    max_context: int = setting(
        default=20,
        doc="Largest context in training, in choices; sizes are uniform from 0 to this.",
        at_least=0,
    )
    max_targets: int = setting(default=20, doc="Most targets of an episode, in choices.", at_least=1)
    users_per_step: int = setting(
        default=64,
        doc="Episodes of an optimiser step, over all processes and accumulated batches; a step is the same "
        "however they are shared out.",
        at_least=1,
    )
    validation_episodes: int = setting(
        default=500, doc="Frozen episodes that every validation uses, at each context size.", at_least=1
    )
    context_sizes: tuple[int, ...] = setting(
        default=(0, 1, 3, 5, 10), doc="Context sizes of validation, in choices.", at_least=0, not_empty=True
    )
    num_workers: int = setting(
        default=0, doc="Processes that prepare batches beside the training process.", at_least=0, at_most=1024
    )

    def check(self) -> None:
        if len(set(self.context_sizes)) < len(self.context_sizes):
            raise ConfigError(f"context_sizes are {list(self.context_sizes)}; each must be given once")

    def without_context(self) -> EpisodeSettings:
        """The same settings for a model that reads no choices."""
        return replace(self, max_context=0, context_sizes=(0,))


class RunData(L.LightningDataModule):
    """Base: the whole run is one epoch; a resumed one starts at the step of its checkpoint."""

    def _training(self, batches: Any, num_workers: int) -> DataLoader[Any]:
        trainer, accumulated = self._trainer, self._trainer.accumulate_grad_batches
        numbers = BatchNumbers(trainer.global_step * accumulated, trainer.max_steps * accumulated)
        return self._loader(batches, sampler=numbers, num_workers=num_workers)

    def _loader(self, batches: Any, **more: Any) -> DataLoader[Any]:
        on_gpu = self._trainer.strategy.root_device.type == "cuda"
        return DataLoader(batches, batch_size=None, pin_memory=on_gpu, **more)

    @property
    def _trainer(self) -> L.Trainer:
        assert self.trainer is not None, "Lightning sets the trainer before it asks for data"
        return self.trainer


class EpisodeData(RunData):
    """Gives the trainer its batches; training starts at the step that the trainer stands at.

    Args:
        train: Draws the training episodes.
        validation: Draws the validation episodes, in turn, with contexts of the largest validation size.
        features: One vector an item of both [m, d].
        settings: How many of them make a batch.
        tokens: Tokens of every item of both, for models that run a language model on the targets. Validation
            then comes in batches of as many users as training.
        num_blocks: Blocks of rows near in length that the tokens of a batch come in, or fewer where a batch
            may have fewer options; see `ItemTokens.rows`.
        kept: Answers that a policy should go on to give while it is trained, one an episode; None for none.
    """

    def __init__(
        self,
        train: EpisodeSampler,
        validation: EpisodeSampler,
        features: Float[Tensor, "m d"],
        settings: EpisodeSettings,
        tokens: ItemTokens | None = None,
        num_blocks: int = 4,
        kept: ItemTokens | None = None,
    ) -> None:
        super().__init__()
        self.tokens, self.num_blocks, self.kept = tokens, num_blocks, kept
        self.settings, self.features = settings, features
        self.train, self.validation = train, validation
        self.frozen = validation.draw(np.arange(settings.validation_episodes))

    def setup(self, stage: str) -> None:
        """Let all processes read the same features: a projection fitted on another machine may differ."""
        strategy = self._trainer.strategy
        mine = hashlib.sha256(self.features.numpy().tobytes()).hexdigest()
        if not strategy.reduce_boolean_decision(strategy.broadcast(mine) == mine, all=True):
            self.features = strategy.broadcast(self.features)

    def train_dataloader(self) -> DataLoader[EpisodeBatch]:
        trainer, users = self._trainer, self._users_per_batch
        batches = EpisodeBatches(
            self.train,
            self.features,
            users * trainer.world_size,
            trainer.global_rank,
            trainer.world_size,
            tokens=self.tokens,
            num_blocks=self._blocks(users),
            kept=self.kept,
        )
        return self._training(batches, self.settings.num_workers)

    def val_dataloader(self) -> list[DataLoader[EpisodeBatch]]:
        loaders = []
        for size in self.settings.context_sizes:
            loaders.append(self._loader(_Frozen(self, self._parts(self.frozen.with_context(size)))))
        return loaders

    def collate_frozen(self, episodes: EpisodeRows) -> EpisodeBatch:
        """A batch of validation."""
        blocks = self._blocks(len(episodes.index))
        return collate(episodes, self.validation.table, self.features, self.tokens, blocks)

    def _parts(self, episodes: EpisodeRows) -> list[EpisodeRows]:
        """What is validated at once: all episodes, or as many as a language model takes in training."""
        if self.tokens is None:
            return [episodes]
        users = self._users_per_batch
        return [episodes.part(slice(start, start + users)) for start in range(0, len(episodes.index), users)]

    def _blocks(self, users: int) -> int:
        """Every user has a target, and every target two options: as many rows there are in any batch."""
        return min(self.num_blocks, 2 * users)

    @property
    def _users_per_batch(self) -> int:
        """Users of one batch on one process."""
        accumulated, processes = self._trainer.accumulate_grad_batches, self._trainer.world_size
        users, left_over = divmod(self.settings.users_per_step, accumulated * processes)
        if left_over:
            raise ConfigError(
                f"users_per_step is {self.settings.users_per_step}, which {processes} processes with "
                f"{accumulated} accumulated batches each cannot share equally"
            )
        return users


class _Frozen(Dataset[EpisodeBatch]):
    """Batches of validation, made when asked for: as tensors, all of them could fill the memory."""

    def __init__(self, data: EpisodeData, parts: list[EpisodeRows]) -> None:
        self.data, self.parts = data, parts

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, number: int) -> EpisodeBatch:
        return self.data.collate_frozen(self.parts[number])


class BatchNumbers(Sampler[int]):
    """Batch numbers of a run, from where it stands. The length is that of the whole run: Lightning counts on
    from the batches of the checkpoint."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.end))

    def __len__(self) -> int:
        return self.end
