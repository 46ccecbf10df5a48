"""Parquet, data sets on disk and on the hub: rows in, choices out."""

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonargparse import ArgumentParser

from fsa.choices.rows import Rows
from fsa.choices.source import Source
from fsa.errors import ChoiceDataError, ConfigError
from fsa.types import Pick, Ranking, Tie

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

GOOD = {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No"], "chosen": 0}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(path, *rows) -> str:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return str(path)


def said(table):
    return [table.choice(i) for i in range(len(table))]


def test_our_own_columns_need_no_mapping(tmp_path):
    path = write(
        tmp_path / "a.parquet", {**GOOD, "group": "g", "split": "test"}, {**GOOD, "user": "bob", "chosen": 1}
    )
    ann, bob = said(Rows(path).load())
    assert (ann.user, ann.prompt, ann.options, ann.outcome) == ("ann", "Tea?", ("Yes", "No"), Pick(0))
    assert (ann.group, ann.split) == ("g", "test")
    assert (bob.user, bob.outcome, bob.group) == ("bob", Pick(1), "")  # a null is a field left out


def test_columns_of_other_names_are_mapped(tmp_path):
    row = {"annotator_id": 7, "question": "Tea?", "better": "Yes", "worse": "No"}
    columns = {"user": "annotator_id", "prompt": "question", "chosen": "better", "rejected": "worse"}
    (choice,) = said(Rows(write(tmp_path / "a.parquet", row), columns=columns).load())
    assert (choice.user, choice.prompt) == ("7", "Tea?")
    assert (choice.options, choice.outcome) == (("Yes", "No"), Pick(0))


def test_one_column_may_be_several_fields(tmp_path):
    columns = {"group": "user"}
    (choice,) = said(Rows(write(tmp_path / "a.parquet", GOOD), columns=columns).load())
    assert (choice.user, choice.group) == ("ann", "ann")


def test_trl_chats_need_a_user_alone_and_other_columns_are_ignored_aloud(tmp_path):
    ask = {"role": "user", "content": "Tea?"}
    row = {
        "prompt": "Tea?",
        "prompt_id": "x1",
        "chosen": [ask, {"role": "assistant", "content": "Yes"}],
        "rejected": [ask, {"role": "assistant", "content": "No"}],
        "score_chosen": 8.0,
        "score_rejected": 3.0,
        "labeller": "ann",
    }
    path = write(tmp_path / "a.parquet", row)
    with pytest.warns(UserWarning, match=r"ignored columns: prompt_id, score_chosen, score_rejected$"):
        (choice,) = said(Rows(path, columns={"user": "labeller"}).load())
    assert choice.prompt == (ask,)
    assert choice.options == (
        ({"role": "assistant", "content": "Yes"},),
        ({"role": "assistant", "content": "No"},),
    )


def test_a_column_can_be_left_out_by_mapping_it_to_nothing(tmp_path):
    path = write(tmp_path / "a.parquet", {**GOOD, "group": 3.5})
    with pytest.raises(ChoiceDataError, match=r"a.parquet:1: group must be a text"):
        Rows(path).load()
    with pytest.warns(UserWarning, match="ignored columns: group"):
        assert said(Rows(path, columns={"group": None}).load())[0].group == ""


def test_a_text_column_of_option_numbers_can_hold_ties(tmp_path):
    rows = [{**GOOD, "chosen": chosen} for chosen in ("0", "1", "tie")]
    path = write(tmp_path / "a.parquet", *rows)
    assert [c.outcome for c in said(Rows(path).load())] == [Pick(0), Pick(1), Tie((0, 1))]
    dropped = Rows(path, ties="drop").load()
    assert (len(dropped), dropped.counts) == (2, {"ties_dropped": 1})


def test_a_reply_that_is_a_number_stays_a_reply(tmp_path):
    row = {"user": "ann", "prompt": "2 - 2", "chosen": "0", "rejected": "4"}
    assert said(Rows(write(tmp_path / "a.parquet", row)).load())[0].options == ("0", "4")


def test_rankings_and_numbers(tmp_path):
    rows = [{"user": "ann", "options": [[0.1, 2.0], [0.5, 1.0], [0.7, 0.0]], "ranking": [2, 0, 1]}]
    table = Rows(write(tmp_path / "a.parquet", *rows)).load()
    assert table.is_numeric
    assert said(table)[0].options == ((0.1, 2.0), (0.5, 1.0), (0.7, 0.0))
    assert said(table)[0].outcome == Ranking((2, 0, 1))


def test_a_bad_row_names_file_and_row_across_batches(tmp_path):
    rows = [{**GOOD, "prompt": f"p{i}"} for i in range(3000)]
    rows[2500]["chosen"] = 5
    path = write(tmp_path / "a.parquet", *rows)
    with pytest.raises(ChoiceDataError, match=rf"^{path}:2501: chosen must be .* came 5"):
        Rows(path).load()
    source = Rows(path, on_bad_record="skip")
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        table = source.load()
    assert (len(table), table.counts) == (2999, {"bad_records": 1})
    assert source.bad_records[0].startswith(f"{path}:2501: ")


def test_patterns_folders_and_lists_are_read_in_order(tmp_path):
    first = write(tmp_path / "1.parquet", GOOD)
    second = write(tmp_path / "2.parquet", {**GOOD, "user": "bob"})
    for path in (str(tmp_path / "*.parquet"), str(tmp_path), [first, second]):
        assert Rows(path).load().users.to_pylist() == ["ann", "bob"]
    assert Rows([second, first]).load().users.to_pylist() == ["bob", "ann"]


def test_a_data_set_on_disk_gives_its_splits(tmp_path):
    parts = {"train": [GOOD], "test": [{**GOOD, "user": "bob"}]}
    made = datasets.DatasetDict({name: datasets.Dataset.from_list(rows) for name, rows in parts.items()})
    made.save_to_disk(str(tmp_path / "data"))
    assert [(c.user, c.split) for c in said(Rows(str(tmp_path / "data")).load())] == [
        ("ann", "train"),
        ("bob", "test"),
    ]
    (bob,) = said(Rows(str(tmp_path / "data"), split="test").load())
    assert bob.user == "bob"
    with pytest.raises(ConfigError, match="split is 'dev', but the splits are train, test"):
        Rows(str(tmp_path / "data"), split="dev").load()
    made["train"].save_to_disk(str(tmp_path / "one"))
    assert len(Rows(str(tmp_path / "one")).load()) == 1


def test_a_bad_row_of_a_data_set_names_split_and_row(tmp_path):
    rows = [GOOD, {**GOOD, "options": ["Yes"]}]
    datasets.DatasetDict({"train": datasets.Dataset.from_list(rows)}).save_to_disk(str(tmp_path / "data"))
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/data/train:2: options must be a list of 2"):
        Rows(str(tmp_path / "data")).load()


def test_the_hub_is_asked_for_the_revision(monkeypatch):
    asked = []

    def load(path, **more):
        asked.append((path, more))
        return datasets.DatasetDict({"train": datasets.Dataset.from_list([GOOD])})

    monkeypatch.setattr(datasets, "load_dataset", load)
    (choice,) = said(Rows("some/choices", name="en", revision="abc123").load())
    assert (choice.user, choice.split) == ("ann", "train")
    assert asked == [("some/choices", {"name": "en", "split": None, "revision": "abc123"})]


def test_a_hub_that_cannot_be_reached_is_one_error(monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(ChoiceDataError, match=r"some/choices: revision v1 cannot be loaded .*no network"):
        Rows("some/choices", revision="v1").load()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"columns": {"usr": "a"}}, "columns maps usr; the fields of a record are chosen, group"),
    ],
)
def test_a_mapping_of_no_field_stops_before_any_work(arguments, what):
    with pytest.raises(ConfigError, match=what):
        Rows("a.parquet", **arguments)


def test_a_mapped_column_that_is_missing_is_named(tmp_path):
    path = write(tmp_path / "a.parquet", GOOD)
    with pytest.raises(
        ChoiceDataError, match=r"user is mapped to 'who', but the columns are chosen, options"
    ):
        Rows(path, columns={"user": "who"}).load()


def test_files_have_no_revision(tmp_path):
    path = write(tmp_path / "a.parquet", GOOD)
    for arguments in ({"revision": "v1"}, {"split": "train"}, {"name": "en"}):
        with pytest.raises(ConfigError, match="name, split and revision belong to data sets"):
            Rows(path, **arguments).load()


def test_missing_and_damaged_files_are_one_error(tmp_path):
    with pytest.raises(ChoiceDataError, match=r"none.parquet: must be a Parquet, CSV or JSONL file"):
        Rows(str(tmp_path / "none.parquet")).load()
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(ChoiceDataError, match=r"bad.parquet: not a readable Parquet file"):
        Rows(str(tmp_path / "bad.parquet")).load()
    path = write(tmp_path / "empty.parquet", GOOD)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(ChoiceDataError, match=r"empty.parquet:1: must hold at least one record, came none"):
        Rows(path).load()


def test_jsonl_can_be_mapped_too(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"who": "ann", "options": ["a", "b"], "prompt": "p", "chosen": 1}\n[]\n'
    )
    path = str(tmp_path / "a.jsonl")
    with pytest.raises(ChoiceDataError, match=r"a.jsonl:2: record must be an object"):
        Rows(path, columns={"user": "who"}).load()
    with pytest.warns(UserWarning, match="left out 1"):
        (ann,) = said(Rows(path, columns={"user": "who"}, on_bad_record="skip").load())
    assert (ann.user, ann.outcome) == ("ann", Pick(1))


def test_the_second_load_parses_nothing_unless_the_mapping_changed(tmp_path, cache, monkeypatch):
    path = write(tmp_path / "a.parquet", {**GOOD, "group": "g"})
    first = said(Rows(path).load())
    assert len(list(cache.rglob("*.arrow"))) == 1
    monkeypatch.setattr("fsa.choices.reading.record_source.usual_pick", None)
    assert said(Rows(path).load()) == first
    with pytest.raises(TypeError):  # of usual_pick being None
        Rows(path, columns={"split": "user"}).load()


def test_yaml_gives_the_mapping(tmp_path):
    path = write(tmp_path / "a.parquet", {"who": "ann", "prompt": "p", "chosen": "a", "rejected": "b"})
    parser = ArgumentParser()
    parser.add_argument("--source", type=Source)
    parsed = parser.parse_string(f"""
source:
  class_path: fsa.choices.rows.Rows
  init_args:
    path: {path}
    columns: {{user: who, group: null}}
""")
    assert len(parser.instantiate_classes(parsed).source.load()) == 1
