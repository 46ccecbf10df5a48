"""Tokens of items as rows: every token at its place, and as little padding as so many blocks allow."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fsa.choices.table import ChoiceTable
from fsa.episodes.dataset import EpisodeBatches, collate_choices
from fsa.episodes.sampler import EpisodeSampler
from fsa.episodes.tokens import ItemTokens, block_ends
from fsa.errors import ConfigError, ShapeError
from fsa.types import Choice, Pick, TokenRows


def items_of(lengths: list[int], start: int = 1) -> ItemTokens:
    """Item i is made of tokens 100 i, 100 i + 1, and so on."""
    rows = [100 * i + np.arange(length) for i, length in enumerate(lengths)]
    tokens = ItemTokens.of(rows, [start] * len(lengths))
    return tokens.with_reference(-np.arange(len(lengths), dtype=float))


def padded(lengths: list[int], ends: list[int]) -> int:
    starts = [0, *ends[:-1]]
    return sum((end - start) * max(lengths[start:end]) for start, end in zip(starts, ends, strict=True))


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9), num_blocks=st.integers(1, 9))
def test_no_other_cuts_leave_less_padding(lengths: list[int], num_blocks: int) -> None:
    lengths, num_blocks = sorted(lengths), min(num_blocks, len(lengths))
    ends = block_ends(np.array(lengths), num_blocks).tolist()
    all_ways = [[*cuts, len(lengths)] for cuts in combinations(range(1, len(lengths)), num_blocks - 1)]
    assert ends in all_ways
    assert padded(lengths, ends) == min(padded(lengths, way) for way in all_ways)


def test_rows_of_one_length_are_shared_out_evenly() -> None:
    assert block_ends(np.full(10, 7), 4).tolist() == [2, 5, 7, 10]


def test_more_blocks_than_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="num_blocks is 3, for a batch of 2 options"):
        block_ends(np.array([4, 5]), 3)


def test_each_row_is_its_items_tokens_shortest_first() -> None:
    rows = items_of([4, 2, 3], start=1).rows(np.array([0, 1, 2, 1]), np.array([7, 5, 3, 1]), 2)
    assert rows.slot.tolist() == [5, 1, 3, 7]
    assert rows.reference.tolist() == [-1, -1, -2, 0]
    read = [ids[mask].tolist() for ids, mask in zip(rows.ids, rows.mask, strict=True)]
    assert read == [[100, 101], [100, 101], [200, 201, 202], [0, 1, 2, 3]]
    said = [ids[mask].tolist() for ids, mask in zip(rows.ids, rows.is_response, strict=True)]
    assert said == [[101], [101], [201, 202], [1, 2, 3]]
    # Cuts after row 1, 2 and 3 give 2 + 12, 4 + 8 and 9 + 4 tokens.
    assert rows.blocks == ((0, 2, 2), (2, 4, 4))
    assert rows.num_response == (2, 5)


@given(lengths=st.lists(st.integers(2, 30), min_size=1, max_size=12), data=st.data())
def test_blocks_hold_every_token_once(lengths: list[int], data: st.DataObject) -> None:
    num_blocks = data.draw(st.integers(1, len(lengths)))
    rows = items_of(lengths).rows(np.arange(len(lengths)), np.arange(len(lengths)), num_blocks)
    blocks = [block for _, _, block in rows.each_block()]
    assert len(blocks) == num_blocks
    assert sum(int(block.mask.sum()) for block in blocks) == sum(lengths)
    assert [int(block.is_response.sum()) for block in blocks] == list(rows.num_response)
    assert torch.cat([block.slot for block in blocks]).tolist() == rows.slot.tolist()


def test_an_item_without_tokens_is_only_refused_where_it_is_asked_for() -> None:
    tokens = ItemTokens.of([np.arange(3), np.arange(0), np.arange(4)], [1, 0, 2])
    assert tokens.rows(np.array([0, 2]), np.array([0, 1])).mask.sum() == 7
    with pytest.raises(ShapeError, match="item 1 has no tokens"):
        tokens.rows(np.array([0, 1]), np.array([0, 1]))


@pytest.mark.parametrize("start", [0, 3])
def test_a_response_that_nothing_predicts_or_without_tokens_is_refused(start: int) -> None:
    with pytest.raises(ShapeError, match=f"item 1 has 3 tokens and its response starts at token {start}"):
        ItemTokens.of([np.arange(3), np.arange(3)], [1, start])


def test_as_many_references_as_items_are_asked_for() -> None:
    with pytest.raises(ShapeError, match="2 items came with 2 starts of responses and 3 references"):
        items_of([3, 4]).with_reference(np.zeros(3))


@pytest.fixture
def table() -> ChoiceTable:
    choices = [
        Choice(f"u{u}", f"p{i}", (f"a{i}", f"b{i}", f"c{i}")[: 2 + i % 2], Pick((u + i) % 2))
        for u in range(6)
        for i in range(12)
    ]
    return ChoiceTable.from_choices(choices)


@pytest.fixture
def tokens(table: ChoiceTable) -> ItemTokens:
    return items_of([2 + (7 * i) % 11 for i in range(table.num_items)])


def items_in(rows: TokenRows) -> list[int]:
    """Item of each row; see `items_of`."""
    return (rows.ids[:, 0] // 100).tolist()


def test_a_choice_finds_its_options_by_slot(table: ChoiceTable, tokens: ItemTokens) -> None:
    chosen = np.array([[1, -1], [0, 2]])  # three options, padding; two options, two options
    batch = collate_choices(chosen, table, torch.zeros(table.num_items, 1), tokens, 3)
    by_slot = dict(zip(batch.tokens.slot.tolist(), items_in(batch.tokens), strict=True))
    options = [table.option[slice(*table.option_offsets[row : row + 2])].tolist() for row in (1, 0, 2)]
    # Places are [2 users, 2 choices, 3 options] in a row.
    assert by_slot == {
        **dict(zip((0, 1, 2), options[0], strict=True)),
        **dict(zip((6, 7), options[1], strict=True)),
        **dict(zip((9, 10), options[2], strict=True)),
    }
    assert len(batch.tokens.blocks) == 3


def test_batches_hold_tokens_of_their_targets_alone(table: ChoiceTable, tokens: ItemTokens) -> None:
    features = torch.zeros(table.num_items, 1)
    batches = EpisodeBatches(EpisodeSampler(table), features, 4, tokens=tokens, num_blocks=5)
    assert batches[3].context.tokens is None
    target = batches[3].target
    assert len(target.tokens.blocks) == 5
    assert sorted(target.tokens.slot.tolist()) == target.option_mask.flatten().nonzero().flatten().tolist()
    assert EpisodeBatches(EpisodeSampler(table), features, 4)[3].target.tokens is None


def test_moving_a_batch_moves_its_tokens(table: ChoiceTable, tokens: ItemTokens) -> None:
    batch = collate_choices(np.array([[0]]), table, torch.zeros(table.num_items, 1), tokens).to("meta")
    assert (batch.tokens.ids.device.type, batch.tokens.num_response) == ("meta", batch.tokens.num_response)


def test_texts_that_are_read_whole_have_no_response_and_may_be_one_token() -> None:
    rows = ItemTokens.whole([np.array([7]), np.array([1, 2, 3])]).rows(np.array([1, 0]), np.array([0, 1]), 2)
    assert [ids[mask].tolist() for ids, mask in zip(rows.ids, rows.mask, strict=True)] == [[7], [1, 2, 3]]
    assert not rows.is_response.any()
    assert rows.num_response == (0, 0)
    with pytest.raises(ShapeError, match="a response has a token"):
        ItemTokens.of([np.array([7]), np.array([1, 2])], [1, 1])
