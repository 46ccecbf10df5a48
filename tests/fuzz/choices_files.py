"""Files of choices in every format: damaged records, texts, tables and bytes."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import csv
import gzip
import io
import json
from pathlib import Path
from random import Random
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from fsa.choices.jsonl import Jsonl
from fsa.choices.ratings import Ratings
from fsa.choices.rows import Rows
from tests.fuzz.choices_oracle import (
    Row,
    difference,
    is_damaged,
    of_row,
    opinion_of,
    rows_of_csv,
    rows_of_jsonl,
)
from tests.fuzz.made_choices import records
from tests.fuzz.odd import changed, damaged_bytes, damaged_text, odd_value
from tests.fuzz.records import FIELDS, Nonsense
from tests.fuzz.trying import Opinion, Target, Tried, came_of, judged


class ChoicesFiles(Target):
    """JSONL, CSV, Parquet and `datasets` on disk."""

    name, cases = "choices", 5000

    def attack(self, draw: Random, folder: Path) -> Tried:
        kind = draw.choices(
            ["jsonl", "rows", "gz", "csv", "parquet", "dataset", "ratings"], [45, 10, 8, 14, 13, 5, 5]
        )[0]
        skip = draw.random() < 0.3
        made = records(draw, draw.choice([1, 2, 3, 6]))
        if kind in ("jsonl", "rows", "gz"):
            return self._lines(draw, folder, kind, made, skip)
        if kind == "csv":
            return self._csv(draw, folder, made, skip)
        if kind == "ratings":
            return self._ratings(draw, folder)
        return self._table(draw, folder, kind, made, skip)

    def _lines(self, draw: Random, folder: Path, kind: str, made: list[Any], skip: bool) -> Tried:
        path, what = folder / "choices.jsonl", kind
        for _ in range(draw.choice([0, 1, 1, 1, 2])):
            record = draw.choice(made)
            if isinstance(record, dict) and record:
                what += "; " + changed(draw, record, sorted(FIELDS))[0]
        if draw.random() < 0.05:
            made.insert(draw.randrange(len(made) + 1), odd_value(draw))
        lines = [json.dumps(one, ensure_ascii=draw.random() < 0.5) for one in made]
        if draw.random() < 0.3:
            i = draw.randrange(len(lines))
            lines[i] = damaged_text(draw, lines[i])
            what += "; text damaged"
        ends = draw.choice(["\n", "\n", "\r\n", "\n\n"])
        text = ends.join(lines) + draw.choice(["", ends])
        content = text.encode("utf-8", "surrogatepass")
        if draw.random() < 0.1:
            content = draw.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"PAR1", b"\x1f\x8b", b"\n \n"]) + content
        if kind == "gz":
            content = gzip.compress(content, mtime=0)
        if draw.random() < 0.2:
            content, how = damaged_bytes(draw, content)
            what += "; " + how
        path.write_bytes(content)
        rows = rows_of_jsonl(content, str(path))
        source = Jsonl if kind != "rows" else Rows
        if source is Rows:
            if content[:4] == b"PAR1" or not content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(
                (b"{", b"\x1f\x8b")
            ):
                return self._load(source, path, what, Opinion("unsure"), skip)  # it may be taken for CSV
            rows = [(place, _of_line(raw)) for place, raw in rows]
        return self._load(source, path, what, _opinion(rows, path, skip), skip)

    def _csv(self, draw: Random, folder: Path, made: list[Any], skip: bool) -> Tried:
        path, what = folder / "choices.csv", "csv"
        for record in made:
            if isinstance(record.get("prompt"), list):
                record["prompt"] = "p"
        if draw.random() < 0.7:
            what += "; " + changed(draw, draw.choice(made), sorted(FIELDS))[0]
        names = list(dict.fromkeys(name for record in made for name in record)) or ["user"]
        if draw.random() < 0.1:
            names.append(draw.choice([*names, "", "note"]))
        out = io.StringIO()
        delimiter = draw.choice(",;\t")
        writer = csv.writer(out, delimiter=delimiter, lineterminator=draw.choice(["\n", "\r\n"]))
        writer.writerow(names)
        for record in made:
            cells = [_cell(record.get(name)) for name in names]
            if draw.random() < 0.05:
                cells = draw.choice([cells[:-1], [*cells, "more"]])
            writer.writerow(cells)
        content = out.getvalue().encode("utf-8", "surrogatepass")
        if draw.random() < 0.2:
            content, how = damaged_bytes(draw, content)
            what += "; " + how
        if draw.random() < 0.1:
            content = gzip.compress(content, mtime=0)
        path.write_bytes(content)
        is_csv = content[:2] != b"\x1f\x8b" and content[:1].isalpha() and not content.startswith(b"PAR1")
        rows = rows_of_csv(content, str(path))
        opinion = _opinion(rows, path, skip) if is_csv else Opinion("unsure")
        return self._load(Rows, path, what, opinion, skip)

    def _table(self, draw: Random, folder: Path, kind: str, made: list[Any], skip: bool) -> Tried:
        table, what = _table_of(draw, made)
        what = f"{kind}; {what}"
        path = folder / ("choices.parquet" if kind == "parquet" else "data")
        try:
            if kind == "parquet":
                pq.write_table(table, path)
            else:
                datasets.Dataset(table).save_to_disk(str(path))
        except Exception as error:  # no such table can be written: another case
            return Tried(f"{what}; not written", "accepted", str(error)[:100])
        rows: list[Row] | None = [(f"{path}:{i + 1}:", _row(table, i)) for i in range(table.num_rows)]
        if len(set(table.column_names)) < len(table.column_names):
            rows = [(str(path), Nonsense("a column is named twice"))]
        if draw.random() < 0.3:
            damaged = path if kind == "parquet" else draw.choice(sorted(path.iterdir()))
            content, how = damaged_bytes(draw, damaged.read_bytes())
            damaged.write_bytes(content)
            what, rows = f"{what}; {damaged.name}: {how}", None
        opinion = Opinion("unsure") if rows is None else _opinion(rows, path, skip)
        return self._load(Rows, path, what, opinion, skip)

    def _ratings(self, draw: Random, folder: Path) -> Tried:
        """Rows of ratings: what is no finite number, no thumb and no word is nonsense."""
        path = folder / "ratings.jsonl"
        rows = [
            {"user": "ann", "prompt": "p", "response": f"r{i}", "rating": draw.choice([1, 2, 3, 4.5])}
            for i in range(4)
        ]
        what = changed(draw, draw.choice(rows), ["user", "prompt", "response", "rating"])[0]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        why, places = "", []
        for i, row in enumerate(rows, start=1):
            rating = row.get("rating")
            is_bad = isinstance(rating, list | dict) or (
                isinstance(rating, float | int) and not abs(rating) < 1e309
            )
            if is_bad or not isinstance(row.get("response", ""), str | list):
                why, places = "a rating or response is none", [f"{path}:{i}:"]
                break
        opinion = Opinion("nonsense", why, places) if why else Opinion("unsure")
        came = came_of(lambda: Ratings(str(path), cache=False).load())
        return judged(f"ratings; {what}", opinion, came)

    def _load(self, source: Any, path: Path, what: str, opinion: Opinion, skip: bool) -> Tried:
        on_bad = "skip" if skip else "stop"
        came = came_of(lambda: source(str(path), on_bad_record=on_bad, cache=False).load())
        if came.verdict == "refused" and not opinion.places:  # of the file, at the least
            opinion = Opinion(opinion.kind, opinion.why, [str(path)], opinion.values, opinion.content)

        def is_same(table: Any) -> str:
            if opinion.kind != "sound":
                [table.choices_of(user.as_py()) for user in table.users]
                return ""
            return difference(table, opinion.content, skip=skip)

        return judged(what, opinion, came, is_same)


def _opinion(rows: list[Row], path: Path, skip: bool) -> Opinion:
    if skip and is_damaged(rows):
        return Opinion("nonsense", str(rows[-1][1]), [rows[-1][0]])
    return opinion_of(rows, str(path), skip=skip)


def _of_line(raw: Any) -> Any:
    """A line of JSONL as `Rows` takes it: no column is of text."""
    return of_row(raw, set()) if isinstance(raw, dict) else raw


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return json.dumps(value)


def _row(table: pa.Table, i: int) -> Any:
    row = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            row[name] = column[i].as_py()
        except UnicodeDecodeError:
            return Nonsense(f"{name} is not UTF-8", name)
    return of_row(row, _text_columns(table))


def _text_columns(table: pa.Table) -> set[str]:
    return {
        field.name
        for field in table.schema
        if pa.types.is_string(field.type)
        or pa.types.is_large_string(field.type)
        or (pa.types.is_dictionary(field.type) and pa.types.is_string(field.type.value_type))
    }


def _table_of(draw: Random, made: list[dict[str, Any]]) -> tuple[pa.Table, str]:
    """Records as columns, one of them of an odd type or with odd values."""
    names = [name for name in sorted(FIELDS) if any(name in record for record in made)]
    columns: dict[str, Any] = {}
    for name in names:
        values = [record.get(name) for record in made]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, TypeError):
            columns[name] = pa.array(
                [None if v is None else json.dumps(v) if not isinstance(v, str) else v for v in values]
            )
    count, what = len(made), "as it is"
    if draw.random() < 0.8:
        odd: dict[str, Any] = {
            "integers": lambda: pa.array([draw.choice([0, 1, 2, -1, 2**40]) for _ in range(count)]),
            "floats": lambda: pa.array([draw.choice([0.0, 1.0, float("nan"), 0.5]) for _ in range(count)]),
            "booleans": lambda: pa.array([draw.random() < 0.5 for _ in range(count)]),
            "digits": lambda: pa.array([draw.choice(["0", "1", "2", "tie", "00", "٣", "1" * 5000]) for _ in range(count)]),
            "json": lambda: pa.array([draw.choice(['["a", "b"]', "[1, 0]", "[", '["a"]', "[NaN, 1]"]) for _ in range(count)]),
            "nulls": lambda: pa.nulls(count),
            "bytes": lambda: pa.array([b"\xff\x00"] * count),
            "bad text": lambda: pa.array([b"ok", b"\xff\xfe"] * count)[:count].view(pa.string()),
            "codes": lambda: pa.array(["a"] * count).dictionary_encode(),
            "times": lambda: pa.array([0] * count, pa.timestamp("s")),
            "decimals": lambda: pa.array([1] * count).cast(pa.decimal128(24, 2)),
            "large": lambda: pa.array(["a"] * count, pa.large_string()),
            "objects": lambda: pa.array([{"role": "user", "content": "x"}] * count),
            "lists": lambda: pa.array([[draw.choice([1.0, 2.0, None])] * 2 for _ in range(count)]),
            "texts": lambda: pa.array([draw.sample(["a", "b", "c", None, ""], 2) for _ in range(count)]),
            "chats": lambda: pa.array([[[{"role": "user", "content": t}] for t in "ab"]] * count),
            "empty lists": lambda: pa.array([[]] * count),
        }  # fmt: skip
        how = draw.choice(sorted(odd))
        name = draw.choice(names)
        columns[name] = odd[how]()
        what = f"{how} for {name}"
    pairs = list(columns.items())
    if draw.random() < 0.1:
        what, pairs = what + "; a column less", pairs[1:] or pairs
    if draw.random() < 0.05:
        what, pairs = what + "; a column twice", [*pairs, pairs[0]]
    table = pa.Table.from_arrays([column for _, column in pairs], names=[name for name, _ in pairs])
    return (table.slice(0, 0), what + "; no rows") if draw.random() < 0.02 else (table, what)
