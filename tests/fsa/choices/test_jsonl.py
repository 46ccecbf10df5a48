"""Files in, one error or a table out."""
# ruff: noqa: E501 - a table of bad lines reads best with one a line

import gzip
import json
import warnings

import pytest

from fsa.choices.jsonl import Jsonl
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick

GOOD = {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No"], "chosen": 0}


def line(**fields) -> bytes:
    """A record with other fields; None leaves one out."""
    merged = {**GOOD, **fields}
    return json.dumps({k: v for k, v in merged.items() if v is not None}).encode()


CHAT = [{"role": "user", "content": "Hi"}]
OTHER = [{"role": "user", "content": "Bye"}]
# name: (the bad line, what the error says after file:line)
BAD = {
    "truncated": (b'{"user": "ann", "prompt": "Te', "line must be one JSON object"),
    "truncated_after_comma": (b'{"user": "ann",', "line must be one JSON object: the line ends early"),
    "no_json": (b"user,prompt,chosen", "line must be one JSON object"),
    "two_objects": (line() + line(), "line must be one JSON object: Extra data"),
    "list": (b"[1, 2]", "record must be an object"),
    "text": (b'"ann"', "record must be an object"),
    "null": (b"null", "record must be an object"),
    "nested_too_deep": (b"[" * 100_000, "line must be one JSON object"),
    "huge_integer": (b'{"user": ' + b"9" * 5000 + b"}", ""),
    "missing_user": (line(user=None), "user is missing"),
    "empty_user": (line(user=""), "user must be a text that is not blank"),
    "number_user": (line(user=7), r"user must be a text \(put it in quotes\), came 7"),
    "null_user": (b'{"user": null, "prompt": "", "options": ["a", "b"], "chosen": 0}', "user must be a text, came null"),
    "missing_prompt": (line(prompt=None), "prompt is missing"),
    "number_prompt": (line(prompt=3), "prompt must be a text"),
    "empty_chat_prompt": (line(prompt=[]), "prompt must be a text, or a list of at least one message"),
    "missing_options": (line(options=None), "options is missing"),
    "options_text": (line(options="Yes"), "options must be a list of 2 to"),
    "one_option": (line(options=["Yes"]), "options must be a list of 2 to"),
    "no_option": (line(options=[]), "options must be a list of 2 to"),
    "empty_option": (line(options=["Yes", ""]), r"options\[1\] must be a text that is not blank"),
    "blank_option": (line(options=["Yes", " \n\t"]), r"options\[1\] must be a text that is not blank"),
    "null_option": (line(options=["Yes", None]), r"options\[1\] must be a text, a list of messages, or"),
    "bool_option": (line(options=["Yes", True]), r"options\[1\] must be a text, a list of messages, or"),
    "empty_list_option": (line(options=["Yes", []]), r"options\[1\] must be a text, or a list of at least"),
    "duplicate_options": (line(options=["Yes", "No", "Yes"]), "options must be different .*options 0 and 2"),
    "duplicate_chats": (line(options=[CHAT, CHAT]), "options must be different from each other"),
    "duplicate_numbers": (line(options=[[1, 2], [1.0, 2]]), "options must be different from each other"),
    "number_among_texts": (line(options=["Yes", 0.5]), r"options must be of one kind; options\[0\] is a text"),
    "chat_among_texts": (line(options=["Yes", CHAT]), "options must be of one kind"),
    "other_length": (line(options=[[1, 2], [1]]), "options must be of one kind"),
    "text_in_numbers": (line(options=[[1, "2"], [1, 3]]), r"options\[0\]\[1\] must be a finite number"),
    "nan": (b'{"user": "ann", "options": [NaN, 1], "chosen": 0}', "numbers must be finite, came NaN"),
    "minus_infinity": (b'{"user": "ann", "options": [-Infinity, 1], "chosen": 0}', "numbers must be finite"),
    "overflow": (b'{"user": "ann", "options": [1e999, 1], "chosen": 0}', r"options\[0\]\[0\] must be a finite number"),
    "big_integer": (b'{"user": "ann", "options": [1' + b"0" * 400 + b', 1], "chosen": 0}', r"options\[0\]\[0\] must be"),
    "string_message": (line(options=[["Yes"], ["No"]]), r"options\[0\]\[0\] must be a message"),
    "message_without_role": (line(options=[[{"content": "a"}], CHAT]), r"options\[0\]\[0\] must be a message"),
    "message_with_more": (line(options=[[{**CHAT[0], "name": "x"}], CHAT]), r"options\[0\]\[0\] must be a message"),
    "unknown_role": (line(prompt=[{"role": "human", "content": "a"}]), r"prompt\[0\].role must be one of system, user"),
    "list_role": (line(prompt=[{"role": [], "content": "a"}]), r"prompt\[0\].role must be one of"),
    "list_content": (line(prompt=[{"role": "user", "content": ["a"]}]), r"prompt\[0\].content must be a text"),
    "blank_chat": (line(options=[[{"role": "user", "content": " "}], OTHER]), r"options\[0\] must be a chat with some"),
    "chosen_too_large": (line(chosen=2), r"chosen must be .* 2 options \(0 to 1\), or \"tie\", came 2"),
    "chosen_negative": (line(chosen=-1), "chosen must be the number of one of the 2 options"),
    "chosen_bool": (line(chosen=True), "chosen must be .*came true"),
    "chosen_float": (line(chosen=1.0), "chosen must be .*came 1.0"),
    "chosen_text": (line(chosen="Yes"), 'chosen must be .*came "Yes"'),
    "chosen_quoted": (line(chosen="1"), 'chosen must be .*came "1"'),
    "chosen_list": (line(chosen=[0]), "chosen must be"),
    "no_outcome": (line(chosen=None), "chosen or ranking must be given, exactly one of them, came neither"),
    "two_outcomes": (line(ranking=[0, 1]), "chosen or ranking must be given, exactly one of them, came both"),
    "ranking_repeats": (line(chosen=None, ranking=[0, 0]), "ranking must be .*none twice"),
    "ranking_empty": (line(chosen=None, ranking=[]), "ranking must be a list"),
    "ranking_too_large": (line(chosen=None, ranking=[0, 2]), r"ranking\[1\] must be an option number from 0 to 1"),
    "ranking_bool": (line(chosen=None, ranking=[False, 1]), r"ranking\[0\] must be an option number"),
    "ranking_number": (line(chosen=None, ranking=1), "ranking must be a list"),
    "unknown_field": (line(prompts="Tea?"), "unknown field \"prompts\"; did you mean 'prompt'?"),
    "unknown_far": (line(zzz=1), 'unknown field "zzz"; allowed are'),
    "group_number": (line(group=3), "group must be a text"),
    "split_list": (line(split=["test"]), "split must be a text"),
    "key_twice": (b'{"user": "ann", "user": "bob"}', "'user' must be given once, came twice"),
    "half_surrogate": (line(options=["Yes", "\ud83d"]), r"options\[1\] must be Unicode text; character 0 is half"),
    "nul": (line(options=["Yes", "a\0b"]), r"options\[1\] must be a text without NUL"),
    "chat_mark": (line(prompt="\x1e[]"), "prompt must be a text that does not begin with the control character"),
    "latin_1": ('{"user": "José"}'.encode("latin-1"), "line must be UTF-8, byte 14 of it is 0xe9"),
    "utf_16_inside": (line().decode().encode("utf-16-le"), "line must be one JSON object"),
    "ten_megabytes": (line(prompt="x" * 10_000_000), "line must be at most 8,388,608 bytes long"),
    "same_replies": (line(options=None, chosen="a", rejected="a"), "rejected must be different from chosen"),
    "text_and_chat_reply": (line(options=None, chosen="a", rejected=CHAT), "rejected must be a text as chosen is"),
    "numbers_after_text": (line(options=[0.5, 1]), r"options must be text, as at .*:1, came lists of 1 numbers"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(path, *lines: bytes):
    path.write_bytes(b"".join(one + b"\n" for one in lines))
    return str(path)


def test_there_are_at_least_30_malformed_files():
    assert len(BAD) >= 30


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_one_error_with_file_and_line(tmp_path, name):
    bad, said = BAD[name]
    path = write(tmp_path / "bad.jsonl", line(), b"", bad, line(user="bob"))
    with pytest.raises(ChoiceDataError, match=f"^{path}:3: {said}") as error:
        Jsonl(path).load()
    assert len(str(error.value)) < len(path) + 400


@pytest.mark.parametrize("name", BAD)
def test_skip_leaves_out_the_bad_record_counts_and_lists_it(tmp_path, name):
    path = write(tmp_path / "bad.jsonl", line(), b"", BAD[name][0], line(user="bob"))
    source = Jsonl(path, on_bad_record="skip")
    for _ in range(2):  # the list is there each time
        with pytest.warns(UserWarning, match="left out 1 bad records"):
            table = source.load()
        assert table.users.to_pylist() == ["ann", "bob"]
        assert table.counts["bad_records"] == 1
        assert len(source.bad_records) == 1
        assert source.bad_records[0].startswith(f"{path}:3: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "bad.jsonl:1: must hold at least one record, came none"),
        (b"\n \n", "bad.jsonl:1: must hold at least one record, came none"),
        (b"\xff\xfe" + line().decode().encode("utf-16-le"), "bad.jsonl:1: file must be UTF-8, came UTF-16"),
        (gzip.compress(line() * 2000, mtime=0)[:40], "bad.jsonl:1: damaged gzip file"),
        (gzip.compress(line() + b"\n", mtime=0)[:-4], "bad.jsonl:2: damaged gzip file"),
        (b"\x1f\x8b nonsense", "bad.jsonl:1: damaged gzip file"),
        (b"PAR1\x00\x00", "bad.jsonl:1: file must be JSONL, came Parquet"),
    ],
)
def test_a_bad_file_is_one_error(tmp_path, content, said):
    (tmp_path / "bad.jsonl").write_bytes(content)
    with pytest.raises(ChoiceDataError, match=said):
        Jsonl(str(tmp_path / "bad.jsonl")).load()


@pytest.mark.parametrize("cache", [True, False])
def test_a_missing_file_is_one_error(tmp_path, cache):
    with pytest.raises(ChoiceDataError, match=r"none.jsonl: cannot be read: No such file"):
        Jsonl(str(tmp_path / "none.jsonl"), cache=cache).load()
    with pytest.raises(ChoiceDataError, match="cannot be read: Is a directory"):
        Jsonl(str(tmp_path), cache=cache).load()


def test_nothing_but_bad_records_is_an_error_even_when_skipping(tmp_path):
    path = write(tmp_path / "bad.jsonl", b"{}", b"[]")
    with (
        pytest.warns(UserWarning, match="left out 2"),
        pytest.raises(ChoiceDataError, match=r"2 bad records.*bad.jsonl:1: user is missing"),
    ):
        Jsonl(path, on_bad_record="skip").load()


def test_only_the_first_bad_records_are_listed(tmp_path):
    path = write(tmp_path / "bad.jsonl", line(), *[b"{}"] * 50)
    source = Jsonl(path, on_bad_record="skip")
    with pytest.warns(UserWarning, match="and 30 more"):
        assert source.load().counts["bad_records"] == 50
    assert len(source.bad_records) == 20


def test_order_mark_windows_lines_gzip_and_several_files(tmp_path):
    (tmp_path / "one.jsonl").write_bytes(b"\xef\xbb\xbf" + line(user="bob") + b"\r\n\r\n" + line(chosen=1))
    (tmp_path / "two.jsonl.gz").write_bytes(gzip.compress(line(user="bob", prompt="Café?") + b"\n", mtime=0))
    table = Jsonl([str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl.gz")]).load()
    assert table.users.to_pylist() == ["bob", "ann"]
    assert [table.choice(row).prompt for row in table.rows_of("bob")] == ["Tea?", "Café?"]
    assert table.choice(2).outcome == Pick(1)


def test_a_line_may_be_as_long_as_the_limit(tmp_path):
    path = write(tmp_path / "a.jsonl", line())
    assert len(Jsonl(path, max_line_bytes=len(line()) + 1).load()) == 1
    with pytest.raises(ChoiceDataError, match=r"a\.jsonl:1: line must be at most"):
        Jsonl(path, max_line_bytes=len(line()) - 1).load()


def test_ties_are_kept_or_dropped_and_counted(tmp_path):
    path = write(tmp_path / "ties.jsonl", line(), line(chosen="tie", user="bob"))
    kept = Jsonl(path).load()
    assert (len(kept), kept.outcome_kinds) == (2, {"pick", "tie"})
    dropped = Jsonl(path, ties="drop").load()
    assert (len(dropped), dropped.outcome_kinds, dropped.counts) == (1, {"pick"}, {"ties_dropped": 1})


def test_the_second_load_reads_no_record(tmp_path, cache, monkeypatch):
    path = write(tmp_path / "a.jsonl", line(), line(user="bob", chosen=1, group="g"))
    first = Jsonl(path).load()
    assert len(list(cache.rglob("*.arrow"))) == 1
    monkeypatch.setattr("fsa.choices.reading.record_source.usual_picks", None)
    second = Jsonl(path).load()
    assert [second.choice(i) for i in range(2)] == [first.choice(i) for i in range(2)]
    with pytest.raises(TypeError):  # of usual_pick being None: other options, another table
        Jsonl(path, ties="drop").load()


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "a.jsonl", line())
    assert Jsonl(path).load().choice(0).user == "ann"
    write(tmp_path / "a.jsonl", line(user="eve"))
    assert Jsonl(path).load().choice(0).user == "eve"


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_cache_is_written_again(tmp_path, cache, damage):
    path = write(tmp_path / "a.jsonl", line())
    Jsonl(path).load()
    (kept,) = cache.rglob("*.arrow")
    kept.write_bytes(kept.read_bytes()[:-20] if damage is None else damage)
    assert Jsonl(path).load().choice(0).user == "ann"
    assert len(ChoiceTable.open(kept)) == 1


def test_an_unusable_cache_folder_only_warns(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="cannot keep the parsed choices"):
        assert len(Jsonl(write(tmp_path / "a.jsonl", line())).load()) == 1


def test_without_cache_nothing_is_written(tmp_path, cache):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Jsonl(write(tmp_path / "a.jsonl", line()), cache=False).load()
    assert not cache.exists()


def test_fault_F24_many_options_with_a_late_duplicate_and_many_blank_lines(tmp_path):
    options = [f"é{i}" for i in range(32_766)]  # comparing each with all before it would take 20 s
    path = write(tmp_path / "many.jsonl", line(options=[*options, "é32765"]))
    with pytest.raises(ChoiceDataError, match="options 32765 and 32766 are equal"):
        Jsonl(path).load()
    blank = gzip.compress(
        b"\n" * 30_000_000 + line(), mtime=0
    )  # 30 kB of file; line by line it would take 25 s
    (tmp_path / "blank.jsonl.gz").write_bytes(blank)
    assert len(Jsonl(str(tmp_path / "blank.jsonl.gz"), cache=False).load()) == 1


def test_fault_N8_other_fields_beside_chosen_and_rejected_are_ignored_aloud(tmp_path):
    row = {
        "user": "ann",
        "prompt": "Tea?",
        "chosen": "Yes",
        "rejected": "No",
        "score_chosen": 8.5,
        "id": None,
    }
    path = write(tmp_path / "trl.jsonl", *[json.dumps(row).encode()] * 3)
    with pytest.warns(UserWarning, match=r"trl.jsonl: ignored fields: id, score_chosen$"):
        table = Jsonl(path).load()
    assert [table.choice(i) for i in range(3)] == [Choice("ann", "Tea?", ("Yes", "No"), Pick(0))] * 3


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_lines_may_end_anywhere_in_a_block(tmp_path, monkeypatch, block):
    monkeypatch.setattr("fsa.choices.reading.json_lines._BLOCK", block)
    path = write(tmp_path / "a.jsonl", line(), b"", line(user="bob\u00e9"), line(prompt="x" * 300))[:]
    (tmp_path / "a.jsonl").write_bytes((tmp_path / "a.jsonl").read_bytes() + b"[]")
    with pytest.raises(ChoiceDataError, match=r"a.jsonl:5: record must be"):
        Jsonl(path).load()
    with pytest.raises(ChoiceDataError, match=r"a.jsonl:4: line must be at most 200 bytes"):
        Jsonl(path, max_line_bytes=200).load()


@pytest.mark.parametrize(
    "twice",
    [
        b'{"user": "a", "us\\u0065r": "b", "prompt": "p", "options": ["x", "y"], "chosen": 0}',
        b'{"user": "\\u0022\\u0022\\u0022\\u0022", "user": "", "prompt": "p", "options": ["x", "y"], "chosen": 0}',
        b'{"prompt": [{"role": "user", "role": "user", "content": "p"}], "options": ["x", "y"], "chosen": 0}',
    ],
)
def test_a_name_that_comes_twice_is_found_however_it_is_written(tmp_path, twice):
    path = write(tmp_path / "twice.jsonl", line(), twice)
    with pytest.raises(ChoiceDataError, match=r"twice.jsonl:2: '(user|role)' must be given once, came twice"):
        Jsonl(path).load()
