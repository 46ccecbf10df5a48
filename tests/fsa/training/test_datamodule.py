from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from fsa.episodes.tokens import ItemTokens
from fsa.errors import ConfigError
from fsa.training.datamodule import EpisodeData
from tests.factories.training import SIZES, small_data


class OneProcess:
    """What `EpisodeData` asks a Lightning strategy for."""

    root_device = torch.device("cpu")

    def broadcast(self, thing: Any) -> Any:
        return thing

    def reduce_boolean_decision(self, decision: bool, all: bool) -> bool:
        return decision


def trainer(step: int = 0, rank: int = 0, world: int = 1, accumulate: int = 1, strategy: Any = None) -> Any:
    return SimpleNamespace(
        global_step=step,
        global_rank=rank,
        world_size=world,
        accumulate_grad_batches=accumulate,
        max_steps=6,
        strategy=strategy or OneProcess(),
    )


def index(**at: Any) -> list[list[int]]:
    """Episode numbers of each training batch."""
    data = small_data(users_per_step=8)
    data.trainer = trainer(**at)
    return [batch.index.tolist() for batch in data.train_dataloader()]


def test_batches_count_episodes_through_the_run():
    assert index() == [list(range(8 * step, 8 * step + 8)) for step in range(6)]


def test_a_resumed_run_starts_at_its_step():
    assert index(step=4) == index()[4:]


def test_the_loader_is_as_long_as_the_run_wherever_it_starts():
    data = small_data()
    data.trainer = trainer(step=4, accumulate=2)
    assert len(data.train_dataloader()) == 12


def test_processes_and_accumulated_batches_share_a_step_out():
    shares = [index(rank=rank, world=2, accumulate=2) for rank in (0, 1)]
    assert shares[0][:3] == [[0, 1], [4, 5], [8, 9]]
    assert shares[1][:3] == [[2, 3], [6, 7], [10, 11]]
    assert len(shares[0]) == 12


def test_users_that_cannot_be_shared_equally_are_refused():
    with pytest.raises(
        ConfigError, match="users_per_step is 8, which 3 processes with 2 accumulated batches"
    ):
        index(world=3, accumulate=2)


def test_workers_change_nothing():
    data = small_data(num_workers=2)
    data.trainer = trainer()
    assert [batch.index.tolist() for batch in data.train_dataloader()] == index()


def test_validation_episodes_are_frozen_and_nested():
    batches = {}
    for time in range(2):
        data = small_data(validation_episodes=12)
        data.trainer = trainer()
        for size, loader in zip(SIZES, data.val_dataloader(), strict=True):
            (batch,) = list(loader)
            batches[time, size] = batch
            assert batch.context.mask.sum(1).tolist() == [size] * 12
    for size in SIZES:
        assert torch.equal(batches[0, size].target.rows, batches[1, size].target.rows)
        assert torch.equal(batches[0, size].context.rows, batches[1, size].context.rows)
    # Every size predicts the same choices.
    assert torch.equal(batches[0, SIZES[0]].target.rows, batches[0, SIZES[1]].target.rows)


def with_tokens(num_blocks: int = 4, **settings: Any) -> EpisodeData:
    """Every item is five tokens, the last three of them its response."""
    data = small_data(users_per_step=4, **settings)
    lines = [np.arange(5)] * len(data.features)
    data = EpisodeData(
        data.train,
        data.validation,
        data.features,
        data.settings,
        ItemTokens.of(lines, [2] * len(lines)),
        num_blocks,
    )
    data.trainer = trainer(accumulate=2)
    return data


def test_tokens_come_with_the_targets_in_as_many_blocks_as_told():
    for num_blocks in (1, 3):
        blocks = [batch.target.tokens.blocks for batch in with_tokens(num_blocks).train_dataloader()]
        assert [len(each) for each in blocks] == [num_blocks] * 12
    # Two users have at least a target each, of two options.
    assert len(next(iter(with_tokens(99).train_dataloader())).target.tokens.blocks) == 4


def test_validation_with_tokens_takes_as_many_users_at_once_as_training():
    data = with_tokens(validation_episodes=5)
    whole = small_data(validation_episodes=5)
    whole.trainer = trainer()
    for parted, together in zip(data.val_dataloader(), whole.val_dataloader(), strict=True):
        parts, (batch,) = list(parted), list(together)
        assert [part.index.tolist() for part in parts] == [[0, 1], [2, 3], [4]]
        seen = [row for part in parts for row in part.target.rows[part.target.mask].tolist()]
        assert seen == batch.target.rows[batch.target.mask].tolist()
        assert all(part.target.tokens.num_response for part in parts)


def test_validation_shares_no_choice_with_training():
    data = small_data()
    names = [set(part.table.users.to_pylist()) for part in (data.train, data.validation)]
    assert names[0]
    assert names[1]
    assert not names[0] & names[1]


def test_every_process_reads_the_features_of_the_first():
    theirs = small_data().features + 1

    class Second(OneProcess):
        """The first process says something else."""

        def broadcast(self, thing: Any) -> Any:
            return "another hash" if isinstance(thing, str) else theirs

    data = small_data()
    data.trainer = trainer(strategy=Second())
    data.setup("fit")
    assert torch.equal(data.features, theirs)
    assert np.isfinite(theirs.numpy()).all()
