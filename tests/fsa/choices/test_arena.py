"""Battles as the Chatbot Arena publishes them in, people's votes out."""

import json

import datasets
import pytest

from fsa.choices.arena import Arena
from fsa.errors import ChoiceDataError
from fsa.types import Pick, Tie
from tests.factories.exports import arena, chat, write_csv, write_lines


def battle(a=("Tea?", "Yes."), b=("Tea?", "No."), winner="model_b", **more):
    return {
        "judge": "ann",
        "conversation_a": chat(*a),
        "conversation_b": chat(*b),
        "winner": winner,
        "language": "en",
        **more,
    }


def load(tmp_path, rows, **arguments):
    table = Arena(write_lines(tmp_path / "a.jsonl", rows), cache=False, **arguments).load()
    return [table.choice(i) for i in range(len(table))], table.counts


def test_one_vote_is_one_choice_of_who_voted(tmp_path):
    choices, counts = load(tmp_path, arena())
    assert len({c.user for c in choices}) == 12
    assert not any(counts.values())
    assert choices[0].prompt == tuple(arena()[0]["conversation_a"][:1])
    assert choices[0].options == tuple(arena()[0][f"conversation_{k}"][1]["content"] for k in "ab")
    assert choices[0].outcome == Pick(1)


def test_newer_collections_have_typed_parts_and_sessions(tmp_path):
    def typed(*contents):
        return [
            {**m, "content": [{"type": "text", "text": m["content"], "image": None}]} for m in chat(*contents)
        ]

    row = {
        "evaluation_session_id": "s1",
        "conversation_a": typed("Tea?", "Yes."),
        "conversation_b": typed("Tea?", "No."),
        "winner": "tie",
    }
    [choice], _ = load(tmp_path, [row])
    assert (choice.user, choice.options, choice.outcome) == ("s1", ("Yes.", "No."), Tie((0, 1)))
    row["conversation_a"][0]["content"].append({"type": "image", "image": "x"})
    assert load(tmp_path, [row, battle()])[1]["with_images"] == 1


def test_longer_conversations_are_chats(tmp_path):
    rows = [battle(("Tea?", "Yes.", "Why?", "It is warm."), ("Tea?", "No.", "Why?", "It is late."))]
    [choice], _ = load(tmp_path, rows)
    assert choice.prompt == tuple(chat("Tea?"))
    assert choice.options[1] == tuple(chat("Tea?", "No.", "Why?", "It is late.")[1:])
    [choice], counts = load(tmp_path, [*rows, battle()], turns="first")
    assert (choice.options, counts["longer_conversations"]) == (("Yes.", "No."), 1)


def test_votes_against_both_are_left_out_or_ties(tmp_path):
    rows = [battle(winner="tie (bothbad)"), battle(winner="both_bad"), battle()]
    choices, counts = load(tmp_path, rows)
    assert (len(choices), counts["both_bad"]) == (1, 2)
    assert [c.outcome for c in load(tmp_path, rows, both_bad="keep")[0]][:2] == [Tie((0, 1))] * 2


def test_equal_and_empty_replies_are_counted(tmp_path):
    choices, counts = load(tmp_path, [battle(b=("Tea?", "Yes.")), battle(b=("Tea?", " ")), battle()])
    assert (len(choices), counts["identical_responses"], counts["empty_messages"]) == (1, 1, 1)


def test_csv_holds_conversations_as_json_and_a_group_is_a_column(tmp_path):
    row = battle() | {name: json.dumps(battle()[name]) for name in ("conversation_a", "conversation_b")}
    table = Arena(write_csv(tmp_path / "a.csv", [row]), group="language", cache=False).load()
    assert table.choice(0).options == ("Yes.", "No.")
    assert table.groups.to_pylist() == ["en"]


def test_hub(tmp_path, monkeypatch):
    asked = []

    def fetched(path, **more):
        asked.append((path, more["revision"]))
        return datasets.DatasetDict({"train": datasets.Dataset.from_list(arena())})

    monkeypatch.setattr(datasets, "load_dataset", fetched)
    table = Arena(revision="abc", cache=False).load()
    assert (len(table), asked) == (48, [("lmsys/chatbot_arena_conversations", "abc")])


BAD = {
    "nobody": (battle(judge=None), "who voted must be in the column judge or evaluation_session_id, came"),
    "winner": (battle(winner="left"), 'winner must be one of model_a, model_b, tie, .*, came "left"'),
    "prompt": (battle(b=("Coffee?", "No.")), "conversation_b must be one that begins as conversation_a does"),
    "messages": (battle(conversation_a="Tea?"), 'conversation_a must be a list of messages, came "Tea?'),
    "content": (
        battle(conversation_a=[{"role": "user", "content": 3}]),
        r"conversation_a\[0\].content must be a text, came 3",
    ),
    "role": (
        battle(conversation_a=[{"content": "a"}]),
        r"conversation_a\[0\].role must be a text, came null",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_battle_names_file_row_field_and_value_or_is_counted(tmp_path, name):
    bad, what = BAD[name]
    rows = [battle(), bad, battle()]
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/a.jsonl:2: ({what})"):
        load(tmp_path, rows)
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        choices, counts = load(tmp_path, rows, on_bad_record="skip")
    assert (counts["bad_records"], len(choices)) == (1, 2)
