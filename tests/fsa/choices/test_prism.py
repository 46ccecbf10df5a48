"""Conversations as upstream has them in, their people's choices out."""

import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fsa.choices.prism import Prism
from fsa.errors import ChoiceDataError
from fsa.types import Pick, Ranking, Tie


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def turn(number, prompt, scores, chosen, texts=None):
    """A person's message and the responses to it, with all fields that upstream has."""
    texts = texts or [f"{prompt} {letter}" for letter in "abcd"[: len(scores)]]
    chosen = chosen if isinstance(chosen, tuple) else (chosen,)
    asked = {"turn": number, "role": "user", "content": prompt}
    nothing = dict.fromkeys(("model_provider", "model_name", "score", "if_chosen", "within_turn_id"))
    answers = [
        {
            "turn": number,
            "role": "model",
            "content": text,
            "model_provider": "some-provider",
            "model_name": "some-model",
            "score": score,
            "if_chosen": i in chosen,
            "within_turn_id": i,
        }
        for i, (text, score) in enumerate(zip(texts, scores, strict=True))
    ]
    return [asked | nothing, *answers]


def conversation(number, user, *turns, kind="unguided"):
    return {
        "conversation_id": f"c{number}",
        "user_id": user,
        "conversation_type": kind,
        "opening_prompt": turns[0][0]["content"],
        "conversation_turns": len(turns),
        "conversation_history": [message for one in turns for message in one],
        "performance_attributes": {"fluency": 80, "safety": None},
        "choice_attributes": {"fluency": 90, "safety": 50},
        "open_feedback": "Good.",
        "generated_datetime": "2023-12-01 12:00:00",
        "timing_duration_s": 120.5,
        "timing_duration_mins": 2.01,
        "included_in_balanced_subset": True,
    }


TEN = [
    conversation(
        i, f"user{i % 3}", turn(0, f"Q{i}", [70 + i, 40, 30, 10], 0), turn(1, f"More {i}?", [20, 60], 1)
    )
    for i in range(10)
]


def write(folder, rows=TEN):
    (folder / "conversations.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return str(folder / "conversations.jsonl")


def said(table):
    return [table.choice(i) for i in range(len(table))]


def one(tmp_path, *turns, **arguments):
    """Choices and counts of one conversation beside one that is good."""
    table = Prism(write(tmp_path, [conversation(0, "ann", *turns), TEN[0]]), **arguments).load()
    return [c for c in said(table) if c.user == "ann"], table.counts


def user(text):
    return {"role": "user", "content": text}


def test_opening_turns_are_picks_among_four(tmp_path):
    table = Prism(write(tmp_path)).load()
    assert table.users.to_pylist() == ["user0", "user1", "user2"]
    assert len(table) == 10
    first = table.choice(0)
    assert first.prompt == (user("Q0"),)
    assert first.options == ("Q0 a", "Q0 b", "Q0 c", "Q0 d")
    assert (first.outcome, first.group) == (Pick(0), "")
    assert not any(table.counts.values())


def test_later_turns_come_with_what_was_chosen_before(tmp_path):
    choices, _ = one(tmp_path, turn(0, "Q", [10, 90], 1), turn(1, "More?", [80, 60], 0), turns="all")
    assert [c.prompt for c in choices] == [
        (user("Q"),),
        (user("Q"), {"role": "assistant", "content": "Q b"}, user("More?")),
    ]
    assert [c.outcome for c in choices] == [Pick(1), Pick(0)]
    assert len(Prism(write(tmp_path), turns="all").load()) == 20


def test_a_ranking_follows_the_scores_to_the_first_that_is_shared(tmp_path):
    scores = {
        (30, 90, 10, 50): Ranking((1, 3, 0, 2)),
        (30, 90, 30, 50): Ranking((1, 3)),  # options 0 and 2 are below, and not told apart
        (50, 90, 50, 10): Pick(1),  # and so are 0 and 2 here: only the best is known
    }
    for given, expected in scores.items():
        choices, counts = one(tmp_path, turn(0, "Q", list(given), 1), outcome="ranking")
        assert choices[0].outcome == expected
        assert counts["rankings_cut"] == (len(set(given)) < 4) + 0


def test_a_shared_best_score_is_no_preference_unless_it_is_trusted(tmp_path):
    some, every = turn(0, "Q", [90, 90, 10], 1), turn(0, "Q", [90, 90], 1)
    for turns in (some, every):
        choices, counts = one(tmp_path, turns)
        assert (choices, counts["ties_dropped"]) == ([], 1)
        assert one(tmp_path, turns, ties="chosen")[0][0].outcome == Pick(1)
    assert one(tmp_path, some, ties="keep")[0] == []
    assert one(tmp_path, every, ties="keep")[0][0].outcome == Tie((0, 1))
    ranked, _ = one(tmp_path, some, ties="chosen", outcome="ranking")
    assert ranked[0].outcome == Ranking((1, 0, 2))


def test_a_choice_against_the_scores_is_a_choice_and_counted(tmp_path):
    choices, counts = one(tmp_path, turn(0, "Q", [90, 20], 1))
    assert choices[0].outcome == Pick(1)
    assert counts["chosen_not_best"] == 1
    assert one(tmp_path, turn(0, "Q", [90, 20, 10], 1), outcome="ranking")[0][0].outcome == Ranking((0, 1, 2))


def test_equal_responses_are_one(tmp_path):
    # Upstream says of both that they were chosen.
    choices, counts = one(tmp_path, turn(0, "Q", [60, 70, 20], (0, 1), ["x", "x", "y"]))
    assert (choices[0].options, choices[0].outcome) == (("x", "y"), Pick(0))
    assert counts["identical_responses"] == 1
    choices, counts = one(tmp_path, turn(0, "Q", [60, 70], (0, 1), ["x", "x"]))
    assert (choices, counts["unclear_turns"]) == ([], 1)


def test_empty_messages_are_left_out(tmp_path):
    choices, counts = one(tmp_path, turn(0, "Q", [60, 70, 20], 1, ["EMPTY STRING", "x", "y"]))
    assert (choices[0].options, counts["empty_messages"]) == (("x", "y"), 1)
    choices, counts = one(tmp_path, turn(0, "EMPTY STRING", [60, 70], 1))
    assert (choices, counts["empty_messages"]) == ([], 1)
    choices, counts = one(tmp_path, turn(0, "Q", [60, 70, 20], 1, ["x", "EMPTY STRING", "y"]))
    assert (choices, counts["unclear_turns"]) == ([], 1)


def test_after_a_turn_without_a_choice_nothing_is_known(tmp_path):
    turns = [turn(0, "Q", [60, 70], 1), turn(1, "R", [60, 70], ()), turn(2, "S", [60, 70], 1)]
    choices, counts = one(tmp_path, *turns, turns="all")
    assert (len(choices), counts["turns_without_choice"]) == (1, 2)


def test_a_column_can_be_the_group(tmp_path):
    table = Prism(write(tmp_path), group="conversation_type").load()
    assert table.groups.to_pylist() == ["unguided"]
    with pytest.raises(
        ChoiceDataError, match=r"conversations.jsonl:1 turn 0: group must be a text, came null"
    ):
        Prism(write(tmp_path), group="kind").load()


def test_folder_parquet_and_hub_give_the_same_choices(tmp_path, monkeypatch):
    expected = said(Prism(write(tmp_path), turns="all").load())
    assert said(Prism(str(tmp_path), turns="all").load()) == expected
    pq.write_table(pa.Table.from_pylist(TEN), tmp_path / "rows.parquet")
    assert said(Prism(str(tmp_path / "rows.parquet"), turns="all").load()) == expected
    asked = []

    def load(path, **more):
        asked.append((path, more))
        return datasets.Dataset.from_list(TEN)

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert said(Prism(revision="abc", turns="all").load()) == expected
    more = {"name": "conversations", "split": "train", "revision": "abc"}
    assert asked == [("HannahRoseKirk/prism-alignment", more)]


def changed(position, **fields):
    row = json.loads(json.dumps(TEN[0]))
    row["conversation_history"][position] |= fields
    return row


BAD = {
    "no_object": ([], "row must be an object"),
    "no_history": ({**TEN[0], "conversation_history": None}, "conversation_history must be a list"),
    "no_user": ({**TEN[0], "user_id": None}, "turn 0: user must be a text"),
    "message": ({**TEN[0], "conversation_history": ["Hi"]}, r"conversation_history\[0\] must be a message"),
    "role": (changed(1, role="assistant"), r'conversation_history\[1\].role must be "user" or "model"'),
    "content": (changed(1, content=None), r"conversation_history\[1\].content must be a text"),
    "turn": (changed(1, turn="0"), r"conversation_history\[1\].turn must be a whole number"),
    "turn_unasked": (changed(1, turn=7), r"conversation_history\[1\].turn must be that of a user's message"),
    "turn_twice": (changed(5, turn=0), r"conversation_history\[5\].turn must be a turn of its own"),
    "score": (changed(1, score=101), r"conversation_history\[1\].score must be a number from 0 to 100"),
    "no_score": (changed(1, score=None), r"conversation_history\[1\].score must be a number"),
    "chosen": (changed(1, if_chosen="yes"), r"conversation_history\[1\].if_chosen must be true or false"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_conversation_names_file_and_row_or_is_counted(tmp_path, name):
    bad, what = BAD[name]
    path = write(tmp_path, [TEN[0], bad, TEN[1]])
    with pytest.raises(ChoiceDataError, match=rf"^{path}:2:? ?{what}"):
        Prism(path).load()
    source = Prism(path, on_bad_record="skip")
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        table = source.load()
    assert (table.counts["bad_records"], len(table)) == (1, 2)


def test_a_missing_column_is_named(tmp_path):
    pq.write_table(pa.table({"user_id": ["u"]}), tmp_path / "a.parquet")
    with pytest.raises(ChoiceDataError, match="must have the columns conversation_history, came user_id"):
        Prism(str(tmp_path / "a.parquet")).load()


def test_the_second_load_parses_nothing_unless_arguments_changed(tmp_path, monkeypatch):
    path = write(tmp_path)
    first = said(Prism(path).load())
    monkeypatch.setattr("fsa.choices.reading.record_source.parse_record", None)
    assert said(Prism(path).load()) == first
    with pytest.raises(TypeError):
        Prism(path, outcome="ranking").load()
