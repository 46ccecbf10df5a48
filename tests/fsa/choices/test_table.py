"""Choices as columns, and back."""

import dataclasses
import threading

import numpy as np
import pyarrow as pa
import pytest

from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick, Ranking, Tie

CHAT = ({"role": "user", "content": "Hé\u2028?"},)
CHOICES = [
    Choice("bob", "Tea?", ("Yes", "No"), Pick(1), "g", "train"),
    Choice("ann", "Tea?", ("Yes", "No", "Later"), Ranking((2, 0, 1)), "", "test"),
    Choice("bob", CHAT, ("Yes", CHAT), Tie((0, 1)), "h"),
    Choice("ann", "", ("Yes", "Later"), Pick(0)),
]
IN_ORDER = [CHOICES[0], CHOICES[2], CHOICES[1], CHOICES[3]]  # by user, in order of first choice


def choices_of(table: ChoiceTable) -> list[Choice]:
    return [table.choice(row) for row in range(len(table))]


@pytest.fixture
def table() -> ChoiceTable:
    return ChoiceTable.from_choices(CHOICES, {"ties_dropped": 3})


def test_choices_come_back_sorted_by_user(table):
    assert choices_of(table) == IN_ORDER
    assert table.users.to_pylist() == ["bob", "ann"]
    assert table.rows_of("ann") == range(2, 4)
    assert table.rows_of("eve") == range(0)
    assert table.outcome_kinds == {"pick", "tie", "ranking"}


def test_a_response_is_one_item_per_prompt_and_one_text(table):
    # Tea? has Yes, No, Later; the chat has Yes and itself; "" has Yes and Later.
    assert table.num_items == 7
    texts = [table.text(i) for i in range(len(table.texts))]
    assert sorted(map(str, texts)) == sorted(map(str, ["", "Later", "No", "Tea?", "Yes", CHAT]))
    assert table.response(int(table.option[0])) == "Yes"


def test_numbering_within_a_user(table):
    assert table.prompt_in_user.tolist() == [0, 1, 0, 1]
    bob = table.response_in_user[:4]  # Yes No | Yes chat
    assert bob[0] == bob[2]
    assert len({bob[0], bob[1], bob[3]}) == 3


def test_saved_and_opened_it_is_the_same_table(table, tmp_path):
    table.save(tmp_path / "folder" / "t.arrow")
    again = ChoiceTable.open(tmp_path / "folder" / "t.arrow")
    assert choices_of(again) == IN_ORDER
    assert again.counts == {"ties_dropped": 3}
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["t.arrow"]


def test_numbers_saved_and_opened(tmp_path):
    choices = [Choice("ann", "", ((0.1, 2.0), (1 / 3, -1e300)), Pick(1))]
    ChoiceTable.from_choices(choices).save(tmp_path / "t.arrow")
    again = ChoiceTable.open(tmp_path / "t.arrow")
    assert choices_of(again) == choices
    assert again.is_numeric
    assert not again.numbers.flags.owndata  # a view of the file


def test_an_empty_table_saves_and_opens(tmp_path):
    ChoiceTable.from_choices([]).save(tmp_path / "t.arrow")
    again = ChoiceTable.open(tmp_path / "t.arrow")
    assert (len(again), again.num_users, again.outcome_kinds) == (0, 0, frozenset())


def test_two_writers_of_one_file_do_not_mix(table, tmp_path):
    writers = [threading.Thread(target=table.save, args=(tmp_path / "t.arrow",)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert choices_of(ChoiceTable.open(tmp_path / "t.arrow")) == IN_ORDER


def test_other_files_do_not_open(table, tmp_path):
    (tmp_path / "text").write_text("nonsense")
    row = pa.record_batch([pa.array([1])], names=["a"])
    with pa.OSFile(str(tmp_path / "arrow"), "wb") as sink, pa.ipc.new_file(sink, row.schema) as writer:
        writer.write_batch(row)
    for name, said in {
        "text": "not an fsa choice table",
        "arrow": "layout is None",
        "none": "not an fsa",
    }.items():
        with pytest.raises(ChoiceDataError, match=said):
            ChoiceTable.open(tmp_path / name)


def test_select_keeps_items_and_drops_users_without_a_choice(table):
    some = table.select(np.array([3, 2]))
    assert choices_of(some) == IN_ORDER[2:]
    assert some.users.to_pylist() == ["ann"]
    assert some.num_items == table.num_items
    assert [some.response(item) for item in some.items_used] == ["Yes", "No", "Later", "Yes", "Later"]
    assert choices_of(table.select(np.array([True, False, False, True]))) == [IN_ORDER[0], IN_ORDER[3]]
    assert len(table.select(np.zeros(4, bool))) == 0


def test_columns_in_any_order_of_users():
    table = ChoiceTable.from_columns(
        users=["ann", "eve", "bob"],  # eve has no choice, and goes
        user=np.array([2, 0, 2], np.int32),
        prompt=np.zeros(3, np.int32),
        num_options=np.array([2, 3, 2]),
        option=np.array([0, 1, 0, 1, 2, 1, 2], np.int32),
        place=np.array([0, 1, 1, 1, 0, 1, 0], np.int16),
        texts=[""],
        item_prompt=np.zeros(3, np.int32),
        numbers=np.array([[1.0], [2.0], [3.0]]),
    )
    assert table.users.to_pylist() == ["ann", "bob"]
    assert choices_of(table) == [
        Choice("ann", "", ((1.0,), (2.0,), (3.0,)), Pick(2)),
        Choice("bob", "", ((1.0,), (2.0,)), Pick(0)),
        Choice("bob", "", ((2.0,), (3.0,)), Pick(1)),
    ]


@pytest.mark.parametrize("other", [((0.5,), (0.7,)), ("Yes", (0.5,)), ((0.5, 1.0), (0.7,))])
def test_kinds_of_options_do_not_mix(other):
    first = CHOICES[0] if not isinstance(other[0], tuple) or len(other[0]) == 1 else None
    choices = [c for c in (first, Choice("ann", "", other, Pick(0))) if c]
    with pytest.raises(ChoiceDataError, match="options must all be of one kind"):
        ChoiceTable.from_choices(choices)


def test_counts_can_be_replaced(table):
    other = table.with_counts({"a": 1})
    assert other.counts == {"a": 1}
    assert dataclasses.replace(other, counts=table.counts).counts == table.counts


class TestShuffled:
    """Outcomes dealt out anew: nothing else changes, and nothing is left to learn."""

    def many(self) -> ChoiceTable:
        """500 users with three choices each, whose first option is always the best."""
        choices = [
            Choice(f"u{i}", prompt, options, outcome)
            for i in range(500)
            for prompt, options, outcome in (
                ("a", ("x", "y"), Pick(0)),
                ("b", ("x", "y", "z"), Ranking((0, 1, 2))),
                ("c", ("x", "y", "z"), Tie((0, 1))),
            )
        ]
        return ChoiceTable.from_choices(choices)

    def test_every_choice_keeps_its_kind_of_outcome_and_its_options(self):
        table = self.many()
        for before, after in zip(choices_of(table), choices_of(table.shuffled()), strict=True):
            assert (before.user, before.prompt, before.options) == (after.user, after.prompt, after.options)
            k = len(before.options)
            assert sorted(before.outcome.places(k)) == sorted(after.outcome.places(k))

    def test_every_option_is_as_often_the_best(self):
        choices = choices_of(self.many().shuffled())
        pairs = [choice.outcome.places(2)[0] for choice in choices if choice.prompt == "a"]
        assert abs(np.mean(pairs) - 1 / 2) < 4 * np.sqrt(1 / 4 / 500)
        orders = [choice.outcome.places(3) for choice in choices if choice.prompt == "b"]
        counts = np.unique(np.array(orders), axis=0, return_counts=True)[1]
        assert len(counts) == 6
        assert (np.abs(counts / 500 - 1 / 6) < 4 * np.sqrt(5 / 36 / 500)).all()

    def test_the_seed_decides_and_the_original_stays(self):
        table = self.many()
        before = table.place.copy()
        one, again, other = table.shuffled(1), table.shuffled(1), table.shuffled(2)
        assert np.array_equal(one.place, again.place)
        assert not np.array_equal(one.place, other.place)
        assert np.array_equal(table.place, before)

    def test_what_is_derived_follows(self):
        table = ChoiceTable.from_choices([Choice("a", "p", ("x", "y", "z"), Tie((0, 1)))])
        assert table.outcome_kinds == table.shuffled().outcome_kinds == {"tie"}
