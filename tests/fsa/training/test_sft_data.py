"""Batches of token sequences: each once an epoch, near in length, shared out exactly."""

from collections.abc import Sequence
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fsa.errors import ConfigError
from fsa.training.sft_data import Epochs, SequenceBatch, SequenceData, SequenceSettings, TokenSequences

LENGTHS = np.random.default_rng(0).integers(3, 40, 200)


def sequences(lengths: Sequence[int] | NDArray[np.int64] = LENGTHS) -> TokenSequences:
    """Row r is all tokens r + 10; its last two are the response."""
    ids = [np.full(length, row + 10) for row, length in enumerate(lengths)]
    return TokenSequences(ids, [length - 2 for length in lengths])


def batches_of(
    data: SequenceData, steps: int, rank: int = 0, processes: int = 1, accumulated: int = 1, start: int = 0
) -> list[SequenceBatch]:
    """What a process is given by step `steps` of a run that stands at `start`."""
    data.trainer = SimpleNamespace(
        global_step=start, max_steps=steps, accumulate_grad_batches=accumulated, global_rank=rank,
        world_size=processes, strategy=SimpleNamespace(root_device=torch.device("cpu")),
    )  # fmt: skip
    return list(data.train_dataloader())


def rows_in(batch: SequenceBatch) -> list[int]:
    return (batch.ids[:, 0] - 10).tolist()


def test_every_epoch_reads_each_row_once_in_another_order():
    order = Epochs(LENGTHS, 300, seed=0)
    first, second = order.batches(0), order.batches(1)
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == list(range(200))
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]


def test_batches_keep_to_their_tokens_with_little_padding():
    batches = Epochs(LENGTHS, 300, seed=0).batches(0)
    padded = [len(batch) * LENGTHS[batch].max() for batch in batches]
    assert max(padded) <= 300
    assert LENGTHS.sum() / sum(padded) > 0.9
    assert [len(batch) for batch in Epochs(np.array([50]), 10, seed=0).batches(0)] == [1]


def test_any_batch_of_a_run_is_found_from_anywhere():
    order = Epochs(LENGTHS, 300, seed=5)
    far = len(order.batches(0)) + len(order.batches(1)) + 2  # the third batch of the third epoch
    assert order[far].tolist() == order.batches(2)[2].tolist()
    assert order[1].tolist() == order.batches(0)[1].tolist()
    assert Epochs(LENGTHS, 300, seed=6)[0].tolist() != order[0].tolist()


def test_a_resumed_run_reads_what_it_would_have_read():
    settings = SequenceSettings(batch_tokens=300)
    whole = batches_of(SequenceData(sequences(), sequences(), settings, seed=2), 40)
    rest = batches_of(SequenceData(sequences(), sequences(), settings, seed=2), 40, start=33)
    assert [rows_in(batch) for batch in rest] == [rows_in(batch) for batch in whole[33:]]


@pytest.mark.parametrize("count_prompt", [False, True])
def test_what_counts_is_the_response_or_all_but_the_first_token(count_prompt: bool):
    data = SequenceData(sequences([3, 6]), sequences(), SequenceSettings(100, count_prompt=count_prompt))
    (batch,) = batches_of(data, 1)
    assert batch.ids.shape == (2, 6)
    assert rows_in(batch) == [1, 0]  # longest first
    assert batch.counts.sum(1).tolist() == ([5, 2] if count_prompt else [2, 2])
    assert not batch.counts[:, 0].any()
    assert not batch.counts[1, 3:].any()  # padding
    assert float(batch.weight) == pytest.approx(1 / (7 if count_prompt else 4))


@pytest.mark.parametrize(("processes", "accumulated"), [(2, 1), (1, 3), (2, 2)])
def test_shares_of_a_step_are_its_rows_and_weigh_as_the_whole(processes: int, accumulated: int):
    """The mean over processes and accumulated batches of weight x sum is the mean over the step's tokens."""
    data = SequenceData(sequences(), sequences(), SequenceSettings(300, count_prompt=True))
    whole = batches_of(data, 5)
    shares = [batches_of(data, 5, rank, processes, accumulated) for rank in range(processes)]
    for step, batch in enumerate(whole):
        parts = [rank[step * accumulated + part] for rank in shares for part in range(accumulated)]
        assert sorted(chain(*map(rows_in, parts))) == sorted(rows_in(batch))
        values = [float(part.weight * part.ids[part.counts].sum()) for part in parts]
        expected = float(batch.ids[batch.counts].double().mean())
        assert sum(values) / len(values) == pytest.approx(expected, rel=1e-6)


def test_a_process_without_a_row_takes_part_and_weighs_nothing():
    data = SequenceData(sequences([5]), sequences(), SequenceSettings(100))
    (mine,), (none,) = batches_of(data, 1, rank=0, processes=2), batches_of(data, 1, rank=1, processes=2)
    assert float(mine.weight) == 2 / 2  # two shares over two tokens
    assert float(none.weight) == 0
    assert none.ids.shape == (1, 5)


def test_validation_reads_the_same_rows_each_time_and_counts_responses_alone():
    settings = SequenceSettings(300, count_prompt=True, validation_rows=50)
    data = SequenceData(sequences(), sequences(), settings)
    batches_of(data, 1)
    one, other = list(data.val_dataloader()), list(data.val_dataloader())
    rows = list(chain(*map(rows_in, one)))
    assert rows == list(chain(*map(rows_in, other)))
    assert len(set(rows)) == 50
    assert all((batch.counts.sum(1) == 2).all() for batch in one)


def test_a_number_below_one_is_named():
    with pytest.raises(ConfigError, match="batch_tokens is 0"):
        SequenceSettings(batch_tokens=0)
