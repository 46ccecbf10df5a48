"""Batches of tensors: the right features at the right place, and the same for any number of processes."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from torch.utils.data import DataLoader

from fsa.choices.table import ChoiceTable
from fsa.episodes.dataset import EpisodeBatches, collate_choices
from fsa.episodes.sampler import EpisodeSampler
from fsa.episodes.tokens import ItemTokens
from fsa.types import Choice, Pick, Ranking


@pytest.fixture
def table() -> ChoiceTable:
    choices = [
        Choice(f"u{u}", f"p{i}", (f"a{i}", f"b{i}", f"c{i}")[: 2 + i % 2], Pick((u + i) % 2))
        for u in range(6)
        for i in range(12)
    ]
    return ChoiceTable.from_choices([*choices, Choice("u0", "q", ("x", "y", "z"), Ranking((2, 0, 1)))])


@pytest.fixture
def features(table: ChoiceTable) -> torch.Tensor:
    return torch.arange(table.num_items, dtype=torch.float32).unsqueeze(1) * torch.tensor([[1.0, 100.0]])


def test_features_and_places_belong_to_the_options(table: ChoiceTable, features: torch.Tensor):
    rows = np.array([[12, 0, -1]])  # the ranking of three, a pick of two, and padding
    batch = collate_choices(rows, table, features)
    items = table.option[table.option_offsets[12] : table.option_offsets[13]]
    assert_close(batch.features[0, 0, :, 0], torch.tensor(items, dtype=torch.float32))
    assert batch.places.tolist() == [[[1, 2, 0], [0, 1, -1], [-1, -1, -1]]]
    assert batch.mask.tolist() == [[True, True, False]]


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_together_see_what_one_sees(table: ChoiceTable, features: torch.Tensor, world_size: int):
    sampler = EpisodeSampler(table, seed=5)
    one = EpisodeBatches(sampler, features, users_per_step=6)
    for step in (0, 7):
        alone = one[step]
        parts = [EpisodeBatches(sampler, features, 6, rank, world_size)[step] for rank in range(world_size)]
        assert torch.cat([part.index for part in parts]).tolist() == alone.index.tolist()
        assert torch.cat([part.user for part in parts]).tolist() == alone.user.tolist()
        first = parts[0].target
        n = first.rows.shape[1]
        assert alone.target.rows[: len(first.rows), :n].tolist() == first.rows.tolist()


def test_any_number_of_workers_gives_the_same_batches(table: ChoiceTable, features: torch.Tensor):
    batches = EpisodeBatches(EpisodeSampler(table, seed=5), features, users_per_step=4, num_batches=5)
    alone = list(DataLoader(batches, batch_size=None))
    shared = list(DataLoader(batches, batch_size=None, num_workers=2))
    assert len(alone) == len(shared) == 5
    for a, b in zip(alone, shared, strict=True):
        assert a.context.rows.tolist() == b.context.rows.tolist()
        assert_close(a.target.features, b.target.features)


def test_users_that_processes_cannot_share_are_refused(table: ChoiceTable, features: torch.Tensor):
    with pytest.raises(ValueError, match="cannot share"):
        EpisodeBatches(EpisodeSampler(table), features, users_per_step=5, world_size=2)


def test_everything_is_context_and_target(table: ChoiceTable, features: torch.Tensor):
    batch = EpisodeBatches(EpisodeSampler(table, seed=5), features, users_per_step=8)[0]
    rows = torch.cat([batch.context.rows, batch.target.rows], 1)
    assert batch.everything.rows.tolist() == rows.tolist()
    assert batch.everything.features.shape[2] == 3


def test_each_episode_reads_the_next_kept_answer_in_the_slot_of_its_user(table, features):
    sampler, kept = EpisodeSampler(table, seed=5), ItemTokens.of([np.arange(n) for n in (5, 3, 4)], [2, 2, 1])
    parts = [EpisodeBatches(sampler, features, 4, rank, 2, kept=kept)[1].kept for rank in range(2)]
    # Episodes 4 to 7 of answers 0 to 2: 1, 2 and 0, 1, shortest first.
    assert [part.mask.sum(1).tolist() for part in parts] == [[3, 4], [3, 5]]
    assert [part.slot.tolist() for part in parts] == [[0, 1], [1, 0]]
    assert [part.num_response for part in parts] == [(1 + 3,), (1 + 3,)]
    assert EpisodeBatches(sampler, features, 4)[1].kept is None
