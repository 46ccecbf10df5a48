"""Conversations of the Community Alignment data set in, its annotators' choices out."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fsa.choices.community_alignment import CommunityAlignment
from fsa.errors import ChoiceDataError
from fsa.types import Pick
from tests.factories.exports import community_alignment, write_csv


def load(tmp_path, rows, **arguments):
    table = CommunityAlignment(write_csv(tmp_path / "c.csv", rows), cache=False, **arguments).load()
    return [table.choice(i) for i in range(len(table))], table.counts


def changed(number=1, **fields):
    return community_alignment()[number] | fields


def test_opening_turns_are_picks_among_four(tmp_path):
    rows = community_alignment()
    choices, counts = load(tmp_path, rows)
    assert len(choices) == 48
    assert not any(counts.values())
    # Person 0 prefers response_b of conversation 1.
    second = choices[1]
    assert (second.user, second.outcome) == ("0", Pick(1))
    assert second.prompt == ({"role": "user", "content": rows[1]["first_turn_prompt"]},)
    assert second.options == tuple(rows[1][f"first_turn_response_{letter}"] for letter in "abcd")


def test_later_turns_come_with_what_was_chosen_before(tmp_path):
    row = community_alignment()[1]
    choices, _ = load(tmp_path, [row], turns="all")
    assert [message["content"] for message in choices[1].prompt] == [
        row["first_turn_prompt"],
        row["first_turn_response_b"],
        row["second_turn_prompt"],
    ]
    assert len(choices) == 2


def test_csv_and_parquet_say_the_same(tmp_path):
    pq.write_table(pa.Table.from_pylist(community_alignment()), tmp_path / "c.parquet")
    table = CommunityAlignment(str(tmp_path / "c.parquet"), turns="all", cache=False).load()
    from_csv, _ = load(tmp_path, community_alignment(), turns="all")
    assert [table.choice(i) for i in range(len(table))] == from_csv


def test_what_is_left_out_is_counted(tmp_path):
    same = changed(0)["first_turn_response_a"]
    rows = [
        changed(first_turn_response_c=same, first_turn_response_d=same, first_turn_response_a=same),
        changed(first_turn_response_c=""),
        changed(first_turn_preferred_response=""),
        changed(assigned_lang="fr"),
        changed(**{f"first_turn_response_{letter}": same for letter in "abcd"}),
    ]
    choices, counts = load(tmp_path, rows, languages=["en"])
    assert [(c.outcome, len(c.options)) for c in choices] == [(Pick(1), 2), (Pick(1), 3)]
    assert counts == {
        "identical_responses": 2 + 3,
        "empty_messages": 1,
        "unclear_turns": 1,
        "turns_without_choice": 1,
        "other_languages": 1,
    }


def test_a_column_can_be_the_group(tmp_path):
    write_csv(tmp_path / "c.csv", [row | {"annotator_country": "India"} for row in community_alignment()])
    table = CommunityAlignment(str(tmp_path / "c.csv"), group="annotator_country", cache=False).load()
    assert table.groups.to_pylist() == ["India"]


BAD = {
    "user": (
        changed(annotator_id=""),
        "annotator_id must be who chose, as a text or whole number, came null",
    ),
    "preferred": (
        changed(first_turn_preferred_response="a"),
        'first_turn_preferred_response must be one of response_a, response_b, .*, came "a"',
    ),
    "missing": (changed(first_turn_response_b=""), "first_turn_preferred_response must be a reply that is"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_names_file_line_field_and_value_or_is_counted(tmp_path, name):
    bad, what = BAD[name]
    rows = [changed(), bad, changed()]
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/c.csv:3: {what}"):  # line 1 has the names
        load(tmp_path, rows)
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        choices, counts = load(tmp_path, rows, on_bad_record="skip")
    assert (counts["bad_records"], len(choices)) == (1, 2)


def test_a_missing_column_is_named(tmp_path):
    rows = [{"annotator_id": "1", "first_turn_prompt": "Hi"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "c.parquet")
    source = CommunityAlignment(str(tmp_path / "c.parquet"), cache=False)
    with pytest.raises(ChoiceDataError, match="must have the columns first_turn_preferred_response, first"):
        source.load()
