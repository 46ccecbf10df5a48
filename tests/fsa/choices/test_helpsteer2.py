"""Rated responses in, five users' choices out."""

import gzip
import json
import math

import datasets
import numpy as np
import pytest

from fsa.choices.helpsteer2 import ATTRIBUTES, HelpSteer2
from fsa.choices.splits import split
from fsa.errors import ChoiceDataError, ConfigError
from fsa.types import Tie


def row(prompt, response, *ratings):
    return {"prompt": prompt, "response": response, **dict(zip(ATTRIBUTES, ratings, strict=True))}


# helpfulness, correctness, coherence, complexity, verbosity
TRAIN = [row("P", "good short", 4, 4, 4, 1, 1), row("P", "poor and long", 1, 1, 1, 1, 3)]
TEST = [row("Q", "one", 3, 4, 2, 2, 2), row("Q", "two", 3, 3, 3, 0, 2)]


def write(folder, train=TRAIN, test=TEST):
    for name, rows in (("train", train), ("validation", test)):
        lines = "".join(json.dumps(one) + "\n" for one in rows)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return str(folder)


def write_steerable(folder, train=TRAIN, test=TEST):
    for name, rows in (("train", train), ("eval", test)):
        listed = [
            {
                "prompt": one["prompt"],
                "responses": [one["response"], two["response"]],
                "labels": [{name: rated[name] / 4 for name in ATTRIBUTES} for rated in (one, two)],
            }
            for one, two in zip(rows[::2], rows[1::2], strict=True)
        ]
        (folder / f"steerable_{name}.json").write_text(json.dumps(listed))
    return str(folder)


def said(table):
    """(user, prompt): the chosen response, or "tie"."""
    choices = [table.choice(i) for i in range(len(table))]
    return {
        (c.user, c.prompt): "tie" if isinstance(c.outcome, Tie) else c.options[c.outcome.index]
        for c in choices
    }


def test_five_users_choose_by_their_ratings(tmp_path):
    table = HelpSteer2(write(tmp_path)).load()
    assert said(table) == {
        ("helpful", "P"): "good short",
        ("long", "P"): "poor and long",
        ("concise", "P"): "good short",
        ("complex", "Q"): "one",
        ("simple", "Q"): "two",
    }
    # P ties in complexity, for two users; Q in verbosity, for two, and 3 + .3 (4 + 2) = 3 + .3 (3 + 3).
    assert table.counts["ties_dropped"] == 5
    assert {(table.choice(i).prompt, table.choice(i).split) for i in range(5)} == {
        ("P", "train"),
        ("Q", "test"),
    }
    assert all(table.choice(i).group == table.choice(i).user for i in range(5))


def test_ties_can_be_kept(tmp_path):
    table = HelpSteer2(write(tmp_path), ties="keep").load()
    assert len(table) == 10
    assert said(table)["helpful", "Q"] == "tie"
    assert "ties_dropped" not in table.counts


def test_both_arrangements_give_the_same_choices(tmp_path):
    upstream = HelpSteer2(write(tmp_path), ties="keep").load()
    steerable = HelpSteer2(write_steerable(tmp_path), arrangement="steerable", ties="keep").load()
    assert [upstream.choice(i) for i in range(10)] == [steerable.choice(i) for i in range(10)]


def test_own_users(tmp_path):
    table = HelpSteer2(write(tmp_path), users={"poor": {"helpfulness": -1.0}}).load()
    assert said(table) == {("poor", "P"): "poor and long"}
    with pytest.raises(ConfigError, match=r"weighs .'humour'"):
        HelpSteer2(write(tmp_path), users={"funny": {"humour": 1.0}}).load()


def test_what_is_left_out_is_counted(tmp_path):
    same = [row("R", "same", 4, 4, 4, 1, 1), row("R", "same", 0, 0, 0, 0, 0)]
    blank = [row("S", " ", 4, 4, 4, 1, 1), row("S", "some", 0, 0, 0, 0, 0)]
    alone = [row("T", "alone", 4, 4, 4, 1, 1)]
    table = HelpSteer2(write(tmp_path, [*TRAIN, *same, *alone, *blank], [*TEST, *TRAIN])).load()
    assert table.counts == {
        "identical_responses": 1,
        "blank_responses": 1,
        "unpaired_responses": 1,
        "prompts_in_both_splits": 1,  # P stays in test
        "length_ratio_dropped": 0,
        "ties_dropped": 5,
    }
    assert {table.choice(i).split for i in range(len(table))} == {"test"}


def test_length_matched_pairs(tmp_path):
    # P: 10 against 13 characters; Q: 3 against 3.
    assert math.log(13 / 10) > 0.25
    table = HelpSteer2(write(tmp_path), max_log_length_ratio=0.25).load()
    assert set(said(table)) == {("complex", "Q"), ("simple", "Q")}
    assert table.counts["length_ratio_dropped"] == 1
    with pytest.raises(ConfigError, match="max_log_length_ratio must be > 0"):
        HelpSteer2(str(tmp_path), max_log_length_ratio=0.0)


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ({"response": None}, "response must be a text, came null"),
        ({"prompt": 3}, "prompt must be a text, came 3"),
        ({"verbosity": 5}, "verbosity must be a number from 0 to 4, came 5"),
        ({"verbosity": True}, "verbosity must be a number from 0 to 4, came true"),
        ({"coherence": "4"}, 'coherence must be a number from 0 to 4, came "4"'),
    ],
)
def test_a_bad_row_names_file_and_line(tmp_path, bad, what):
    folder = write(tmp_path, [TRAIN[0], {**TRAIN[1], **bad}])
    with pytest.raises(ChoiceDataError, match=rf"^{folder}/train.jsonl.gz:2: {what}"):
        HelpSteer2(folder).load()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[{}, ", "steerable_train.json:1: file must be a JSON list"),
        ("{}", "steerable_train.json:1: file must be a JSON list"),
        ("[3]", r"steerable_train.json:\[0\]: row must be an object"),
        (
            '[{"prompt": "P", "responses": ["a"]}]',
            r"steerable_train.json:\[0\]: responses must be a list of two",
        ),
        (
            '[{"prompt": "P", "responses": ["a", "b"], "labels": [{}, {"helpfulness": 4}]}]',
            r"steerable_train.json:\[0\].labels\[0\]: helpfulness must be a number from 0 to 1, came null",
        ),
    ],
)
def test_a_bad_steerable_file_names_file_and_row(tmp_path, content, what):
    write_steerable(tmp_path)
    (tmp_path / "steerable_train.json").write_text(content)
    with pytest.raises(ChoiceDataError, match=what):
        HelpSteer2(str(tmp_path), arrangement="steerable").load()


def test_missing_files_and_data_sets_are_named(tmp_path, monkeypatch):
    with pytest.raises(
        ChoiceDataError, match=r"must be a folder with validation.jsonl.gz or validation.jsonl"
    ):
        HelpSteer2(str(tmp_path)).load()

    def refuse(*args, **kwargs):
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(
        ChoiceDataError, match=r"nvidia/HelpSteer2: split validation cannot be loaded .* no network"
    ):
        HelpSteer2().load()


def test_rows_from_the_hub_are_the_rows_of_the_files(tmp_path, monkeypatch):
    def load(path, split, **more):
        assert path == "nvidia/HelpSteer2"
        return datasets.Dataset.from_list({"train": TRAIN, "validation": TEST}[split])

    monkeypatch.setattr(datasets, "load_dataset", load)
    hub, files = HelpSteer2().load(), HelpSteer2(write(tmp_path)).load()
    assert [hub.choice(i) for i in range(len(hub))] == [files.choice(i) for i in range(len(files))]


def test_real_ratings(shared):
    folder = str(shared / "data" / "helpsteer2")
    upstream = HelpSteer2(folder).load()
    steerable = HelpSteer2(folder, arrangement="steerable").load()
    key = repr
    assert sorted((upstream.choice(i) for i in range(len(upstream))), key=key) == sorted(
        (steerable.choice(i) for i in range(len(steerable))), key=key
    )
    assert upstream.num_items == 2000
    assert len(upstream) + upstream.counts["ties_dropped"] == 5 * 1000
    # The order shown says nothing of the outcome: within four standard errors of one half for each user.
    for user in upstream.users.to_pylist():
        rows = np.array(upstream.rows_of(user))
        first_wins = (upstream.place[upstream.option_offsets[rows]] == 0).mean()
        assert first_wins == pytest.approx(0.5, abs=2 / math.sqrt(len(rows)))
    splits = split(upstream, "record")
    assert len(set(splits.train.prompt) & set(splits.validation.prompt)) == 0
    assert splits.counts["dropped"] == 0
