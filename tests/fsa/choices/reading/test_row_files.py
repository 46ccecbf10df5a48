"""Files of every format in: the same choices, or one error with file, row and field."""
# ruff: noqa: E501 - a table of bad files reads best with one a line

import gzip
import json

import datasets
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fsa.choices.jsonl import Jsonl
from fsa.choices.ratings import Ratings
from fsa.choices.reading.json_lines import stop
from fsa.choices.reading.row_files import open_rows
from fsa.choices.rows import Rows
from fsa.errors import ChoiceDataError, ConfigError
from fsa.types import Choice, Pick, Ranking, Tie

TRL = [
    {"user": f"u{i % 3}", "prompt": f"p{i % 4}", "chosen": f"good {i % 5}é", "rejected": "bad\nof course"}
    for i in range(30)
]
EXTRA = [{**row, "score_chosen": 8.5, "prompt_id": f"x{i}"} for i, row in enumerate(TRL)]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))


def said(source) -> list[Choice]:
    table = source.load()
    return [table.choice(row) for row in range(len(table))]


def as_jsonl(rows, folder):
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return str(folder / "a.jsonl")


def as_csv(rows, folder):
    pandas.DataFrame(rows).to_csv(folder / "a.csv", index=False)
    return str(folder / "a.csv")


def as_packed_csv(rows, folder):
    pandas.DataFrame(rows).to_csv(folder / "a.tsv.gz", index=False, sep="\t")
    return str(folder / "a.tsv.gz")


def as_parquet(rows, folder):
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    return str(folder / "a.parquet")


def as_categories(rows, folder):
    frame = pandas.DataFrame(rows).astype({"user": "category", "chosen": "category"})
    frame.to_parquet(folder / "a.parquet")
    return str(folder / "a.parquet")


def on_disk(rows, folder):
    datasets.Dataset.from_list(rows).save_to_disk(str(folder / "saved"))
    return str(folder / "saved")


FORMATS = {
    "jsonl": as_jsonl,
    "csv": as_csv,
    "packed csv": as_packed_csv,
    "parquet": as_parquet,
    "categories": as_categories,
    "save_to_disk": on_disk,
    "in memory": lambda rows, folder: datasets.Dataset.from_list(rows),
    "rows": lambda rows, folder: rows,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_choices(tmp_path, name):
    wanted = said(Jsonl(as_jsonl(TRL, tmp_path)))
    assert len(wanted) == 30
    assert said(Rows(FORMATS[name](TRL, tmp_path))) == wanted


@pytest.mark.parametrize("name", FORMATS)
def test_fault_N8_extra_columns_of_trl_are_ignored_aloud_in_every_format(tmp_path, name):
    with pytest.warns(UserWarning, match=r"ignored (columns|fields): prompt_id, score_chosen$"):
        assert said(Rows(FORMATS[name](EXTRA, tmp_path))) == said(Jsonl(as_jsonl(TRL, tmp_path)))


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet"])
def test_fault_N7_a_name_says_nothing_about_the_content(tmp_path, name):
    path = tmp_path / FORMATS[name](TRL, tmp_path)
    for other in ("a.data", "a.parquet", "a.jsonl", "a.csv"):
        path = path.rename(tmp_path / other)
        assert len(Rows(str(path)).load()) == 30


def test_fault_N7_jsonl_names_the_source_that_reads_parquet(tmp_path):
    with pytest.raises(
        ChoiceDataError, match=r"a.parquet:1: file must be JSONL, came Parquet; .*Rows reads it"
    ):
        Jsonl(as_parquet(TRL, tmp_path)).load()


def test_options_and_rankings_of_csv_are_lists_in_json_and_chosen_is_a_number(tmp_path):
    (tmp_path / "a.csv").write_text(
        "user,prompt,options,chosen,ranking,group\n"
        'ann,Tea?,"[""Yes"", ""No""]",1,,g\n'
        'ann,Tea?,"[""Yes"", ""No""]",tie,,\n'
        '7,Tea?,"[""Yes"", ""No"", ""Later""]",,"[2, 0, 1]",\n'
    )
    assert said(Rows(str(tmp_path / "a.csv"))) == [
        Choice("ann", "Tea?", ("Yes", "No"), Pick(1), "g"),
        Choice("ann", "Tea?", ("Yes", "No"), Tie((0, 1))),
        Choice("7", "Tea?", ("Yes", "No", "Later"), Ranking((2, 0, 1))),
    ]


def test_each_option_may_have_a_column_of_its_own(tmp_path):
    (tmp_path / "a.csv").write_text(
        "user;question;a;b;winner\nann;Tea?;Yes;No;b\nbob;Tea?;Yes;No;0\nann;Tea?;Yes;No;tie\n"
    )
    columns = {"prompt": "question", "options": ["a", "b"], "chosen": "winner"}
    outcomes = [choice.outcome for choice in said(Rows(str(tmp_path / "a.csv"), columns=columns))]
    assert outcomes == [Pick(1), Tie((0, 1)), Pick(0)]  # ann's, then bob's


def test_a_selection_of_a_data_set_in_memory_is_read_as_it_is(tmp_path):
    whole = datasets.load_from_disk(on_disk(TRL, tmp_path))
    assert len(Rows(whole).load()) == 30
    assert len(Rows(whole.select(range(7))).load()) == 7  # backed by the same files on disk


HEAD = "user,prompt,chosen,rejected\n"
GOOD = "ann,Tea?,Yes,No\n"
LIST = "user,prompt,options,chosen\n"
RATED = "user,prompt,response,rating\n"
# name: (bytes, what the error says after the file's name)
BAD_TEXT = {
    "empty": (b"", ":1: must hold at least one record"),
    "blank": (b" \n\n", ":1: must hold at least one record"),
    "head alone": (HEAD.encode(), ":1: must hold at least one record"),
    "one column": (b"user\nann\n", ":1: must be Parquet, JSONL"),
    "prose": (b"Dear all\nplease find\n", ":1: must be Parquet, JSONL .* came 'Dear all'"),
    "column twice": (b"user,prompt,user\n", ":1: must name each column once, came 'user' twice"),
    "column unnamed": (b"user,,chosen\n", ":1: must name each column once, came a column without a name"),
    "too few cells": ((HEAD + GOOD + "bob,Tea?\n").encode(), ":3: row must have 4 cells, one a column, came 2"),
    "too many cells": ((HEAD + GOOD + "bob,Tea?,a,b,c\n").encode(), ":3: row must have 4 cells, .* came 5"),
    "open quote": ((HEAD + GOOD + 'bob,"Tea?,a,b\n').encode(), ":3: row must be CSV: unexpected end of data"),
    "text after quote": ((HEAD + GOOD + 'bob,"Tea"?,a,b\n').encode(), ":3: row must be CSV"),
    "latin 1": ((HEAD + GOOD + "José,Tea?,a,b\n").encode("latin-1"), ":3: line must be UTF-8, byte 4 of it is 0xe9"),
    "utf 16": ((HEAD + GOOD).encode("utf-16"), ": must be Parquet, CSV or JSONL, came UTF-16"),
    "nul": ((HEAD + GOOD + "b\0b,Tea?,a,b\n").encode(), ": must be Parquet, CSV or JSONL, came bytes that are no text"),
    "damaged gzip": (gzip.compress((HEAD + GOOD * 3000).encode(), mtime=0)[:-6], "damaged gzip file"),
    "short gzip": (gzip.compress((HEAD + GOOD * 3000).encode(), mtime=0)[:30], ":1: damaged gzip file"),
    "no user": (b"prompt,chosen,rejected\nTea?,a,b\n", ":2: user is missing"),
    "empty user": ((HEAD + GOOD + ",Tea?,a,b\n").encode(), ":3: user is missing"),
    "blank user": ((HEAD + GOOD + "  ,Tea?,a,b\n").encode(), ":3: user must be a text that is not blank"),
    "empty reply": ((HEAD + GOOD + "bob,Tea?,,b\n").encode(), ":3: chosen is missing"),
    "empty rejected": ((HEAD + GOOD + "bob,Tea?,a,\n").encode(), ":3: options is missing"),
    "equal replies": ((HEAD + GOOD + "bob,Tea?,a,a\n").encode(), ":3: rejected must be different from chosen"),
    "options no list": ((LIST + "ann,Tea?,Yes,0\n").encode(), ":2: options must be a list of 2 to"),
    "options broken": ((LIST + 'ann,Tea?,"[Yes, No]",0\n').encode(), ":2: options must be a list in JSON"),
    "options one": ((LIST + 'ann,Tea?,"[""Yes""]",0\n').encode(), ":2: options must be a list of 2 to"),
    "chosen out": ((LIST + 'ann,Tea?,"[""Yes"", ""No""]",2\n').encode(), ":2: chosen must be the number of one"),
    "chosen word": ((LIST + 'ann,Tea?,"[""Yes"", ""No""]",first\n').encode(), ":2: chosen must be .* came \"first\""),
    "chosen missing": ((LIST + 'ann,Tea?,"[""Yes"", ""No""]",\n').encode(), ":2: chosen or ranking must be given"),
    "json list": (b'[{"user": "ann"}]', ":1: must be one JSON object a line, came a list"),
    "json broken": (b'{"user": "ann"', ":1: line must be one JSON object: the line ends early"),
    "json user": (b'{"prompt": "p", "chosen": "a", "rejected": "b"}', ":1: user is missing"),
    "json then csv": ((json.dumps(TRL[0]) + "\n" + GOOD).encode(), ":2: line must be one JSON object"),
    "zip": (b"PK\x03\x04abc,", ": must be Parquet, CSV or JSONL, came a zip or Excel file"),
    "bzip2": (b"BZh9,", "came a bzip2 file"),
    "xz": (b"\xfd7zXZ\x00,", "came an xz file"),
    "zstd": (b"\x28\xb5\x2f\xfd,", "came a zstd file"),
    "arrow": (b"ARROW1\0\0", "came an Arrow file"),
    "sqlite": (b"SQLite format 3\x00", "came a SQLite file"),
    "pdf": (b"%PDF-1.7", "came a PDF file"),
    "parquet stub": (b"PAR1\x00\x00", ": not a readable Parquet file"),
    "long line": (b"user,prompt\n" + b"x" * (9 << 20) + b",b\n", ":2: line must be at most 8,388,608 bytes long"),
}  # fmt: skip
BAD_RATINGS = {
    "no rating": (b"user,prompt,response\nann,Tea?,a\n", ":2: rating must be given, came null"),
    "rating word": ((RATED + "ann,Tea?,a,great\n").encode(), ":2: rating must be a finite number"),
    "rating nan": ((RATED + "ann,Tea?,a,nan\n").encode(), ":2: rating must be a finite number"),
    "response blank": ((RATED + 'ann,Tea?," ",1\n').encode(), ":2: response must be a text that is not blank"),
    "all alike": ((RATED + "ann,Tea?,a,1\nann,Tea?,b,1\n").encode(), ":1: must hold at least one record, came none"),
}  # fmt: skip


def test_there_are_at_least_40_bad_files():
    assert len(BAD_TEXT) + len(BAD_RATINGS) + len(BAD_COLUMNS) >= 40


@pytest.mark.parametrize("name", BAD_TEXT)
def test_a_bad_file_is_one_error_with_file_row_and_field(tmp_path, name):
    content, what = BAD_TEXT[name]
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/bad.csv.*{what}"):
        Rows(str(tmp_path / "bad.csv")).load()


@pytest.mark.parametrize("name", BAD_RATINGS)
def test_bad_ratings_are_one_error_with_file_row_and_field(tmp_path, name):
    content, what = BAD_RATINGS[name]
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(ChoiceDataError, match=f"bad.csv{what}"):
        Ratings(str(tmp_path / "bad.csv")).load()


ROW = {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No"], "chosen": 0}
NOT_UTF8 = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\3\0\0\0"), pa.py_buffer(b"ab\xe9")]
)
# name: (columns that replace those of two good rows, what the error says after the file's name)
BAD_COLUMNS = {
    "chosen of 5,000 digits": ({"chosen": pa.array(["0", "9" * 5000])}, ":2: chosen must be the number of one"),
    "text that is no UTF-8": ({"user": NOT_UTF8}, ":2: user must be UTF-8, byte 2 of it is 0xe9"),
    "fraction chosen": ({"chosen": pa.array([0.0, 1.0])}, ":1: chosen must be the number of one"),
    "truth value chosen": ({"chosen": pa.array([True, False])}, ":1: chosen must be the number of one"),
    "fraction user": ({"user": pa.array([1.5, 2.5])}, ":1: user must be a text"),
    "null user": ({"user": pa.array(["ann", None])}, ":2: user is missing"),
    "bytes prompt": ({"prompt": pa.array([b"a", b"b"])}, ":1: prompt must be a text"),
    "list user": ({"user": pa.array([["a"], ["b"]])}, ":1: user must be a text"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_fault_F23_a_bad_column_of_parquet_is_one_error_with_file_row_and_field(tmp_path, name):
    columns, what = BAD_COLUMNS[name]
    table = pa.Table.from_pylist([ROW, ROW])
    for field, values in columns.items():
        table = table.set_column(table.schema.get_field_index(field), field, values)
    pq.write_table(table, tmp_path / "bad.parquet")
    with pytest.raises(ChoiceDataError, match=f"bad.parquet{what}"):
        Rows(str(tmp_path / "bad.parquet")).load()


def test_fault_F23_a_column_name_that_comes_twice_is_refused(tmp_path):
    table = pa.Table.from_pylist([ROW]).append_column("user", pa.array(["bob"]))
    pq.write_table(table, tmp_path / "bad.parquet")
    with pytest.raises(ChoiceDataError, match=r"bad.parquet: must name each column once, came 'user' twice"):
        Rows(str(tmp_path / "bad.parquet")).load()


def test_fault_F23_a_data_set_without_split_names_has_no_split(tmp_path):
    with pytest.raises(ConfigError, match="split is 'zz', but this data set names no splits"):
        Rows(on_disk(TRL, tmp_path), split="zz").load()


def test_fault_F23_damaged_parquet_is_one_error_or_reads(tmp_path):
    whole = bytearray((tmp_path / "a.parquet").read_bytes() if as_parquet(TRL, tmp_path) else b"")
    for place in range(0, len(whole), 11):
        damaged = bytes(whole[:place]) + bytes([whole[place] ^ 0xFF]) + bytes(whole[place + 1 :])
        (tmp_path / "bad.parquet").write_bytes(damaged)
        try:
            Rows(str(tmp_path / "bad.parquet"), cache=False).load()
        except ChoiceDataError as error:
            assert "bad.parquet" in str(error)  # noqa: PT017 - some bytes are of no consequence


def test_a_data_set_whose_offsets_point_outside_is_refused(tmp_path):
    rows = [{"user": f"user number {i}"} for i in range(6)]
    datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / "saved"))
    (arrow,) = (tmp_path / "saved").glob("*.arrow")
    content = bytearray(arrow.read_bytes())
    offsets = np.arange(0, 7 * 13, 13, dtype=np.int32).tobytes()  # of texts of 13 letters each
    place = content.find(offsets)
    assert place > 0
    content[place + 8 : place + 12] = np.int32(1 << 26).tobytes()
    arrow.write_bytes(content)
    (file,) = open_rows(tmp_path / "saved")
    with pytest.raises(ChoiceDataError, match=r"saved:1: cannot be read from here on"):
        list(file.read(("user",), stop))
