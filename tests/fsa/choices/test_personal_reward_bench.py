"""Rows of PersonalRewardBench in, people's choices with the bench's own splits out."""

import datasets
import pytest

from fsa.choices.personal_reward_bench import PersonalRewardBench
from fsa.choices.splits import split
from fsa.errors import ChoiceDataError
from fsa.types import Pick
from tests.factories.exports import personal_reward_bench, write_lines


def load(tmp_path, rows, **arguments):
    table = PersonalRewardBench(write_lines(tmp_path / "b.jsonl", rows), cache=False, **arguments).load()
    return [table.choice(i) for i in range(len(table))], table.counts


def changed(**fields):
    return personal_reward_bench()[0] | fields


def test_a_pair_is_a_pick_of_the_chosen(tmp_path):
    choices, counts = load(tmp_path, personal_reward_bench())
    first = personal_reward_bench()[0]
    assert (choices[0].user, choices[0].outcome) == ("user0", Pick(0))
    assert choices[0].prompt == tuple(first["context"])
    assert choices[0].options == (first["chosen"]["content"], first["rejected"]["content"])
    assert not any(counts.values())


def test_the_bench_splits_each_persons_own_choices(tmp_path):
    choices, _ = load(tmp_path, personal_reward_bench())
    assert [c.split for c in choices[:4]] == ["train", "train", "validation", "test"]
    table = PersonalRewardBench(str(tmp_path / "b.jsonl"), cache=False).load()
    parted = split(table, "record", fractions=(0.8, 0.1, 0.1), seed=0)
    assert [len(part) for part in (parted.train, parted.validation, parted.test)] == [24, 12, 12]
    assert parted.train.num_users == parted.test.num_users == 12


def test_rows_of_a_named_split_need_no_column(tmp_path, monkeypatch):
    rows = [{k: v for k, v in row.items() if k != "split"} for row in personal_reward_bench()]
    loaded = datasets.DatasetDict({name: datasets.Dataset.from_list(rows[:3]) for name in ("val", "test")})
    monkeypatch.setattr(datasets, "load_dataset", lambda path, **more: loaded)
    table = PersonalRewardBench(cache=False).load()
    assert sorted(table.choice(i).split for i in range(6)) == ["test"] * 3 + ["validation"] * 3


def test_a_list_of_one_message_is_a_reply_and_other_pairs_are_counted(tmp_path):
    reply = personal_reward_bench()[0]["chosen"]
    rows = [
        changed(chosen=[reply]),
        changed(rejected=reply),
        changed(rejected={"role": "model", "content": " "}),
    ]
    choices, counts = load(tmp_path, rows)
    assert (len(choices), counts["identical_responses"], counts["empty_messages"]) == (1, 1, 1)


BAD = {
    "user": (changed(user_id=None), "user_id must be who chose, as a text or whole number, came null"),
    "split": (changed(split="dev"), 'split must be one of train, val, validation, test, came "dev"'),
    "context": (changed(context="Hi"), 'context must be a list of messages, came "Hi"'),
    "chosen": (changed(chosen=[{"role": "model", "content": "a"}] * 2), "chosen must be one message"),
    "content": (changed(rejected={"role": "model"}), r"rejected\[0\].content must be a text, came null"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_names_file_row_field_and_value_or_is_counted(tmp_path, name):
    bad, what = BAD[name]
    rows = [changed(), bad, changed()]
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/b.jsonl:2: {what}"):
        load(tmp_path, rows)
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        choices, counts = load(tmp_path, rows, on_bad_record="skip")
    assert (counts["bad_records"], len(choices)) == (1, 2)
