"""What a file of choices holds, by docs/data.md and apart from fsa's own readers."""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.fuzz.records import Nonsense, Read, Unsure, read_record, strict_json
from tests.fuzz.trying import Opinion

Row = tuple[str, Any]
"""Place of a row, and what it holds: a record, or why it is none."""


def opinion_of(rows: Iterable[Row], path: str, *, skip: bool) -> Opinion:
    """What has to come of rows that are read one after the other.

    Args:
        rows: All of them; what is wrong with the file from some place on comes as `Nonsense` and is the last.
        path: The file.
        skip: Whether bad rows are left out.
    """
    read: list[Read] = []
    bad, is_open, kind = 0, False, None
    for place, raw in rows:
        try:
            if isinstance(raw, Nonsense | Unsure):
                raise raw
            found = read_record(raw)
            if kind is not None and found.kind != kind:
                if is_open:
                    raise Unsure
                raise Nonsense(f"its options are {found.kind}, those before {kind}", "options")
            kind, is_open = found.kind, is_open or not found.is_sure
            read.append(found)
        except Unsure:
            is_open = True
        except Nonsense as wrong:
            bad += 1
            if not skip:
                where = [] if is_open else [place]
                return Opinion("nonsense", f"{place}: {wrong.why}", where, [] if is_open else wrong.values)
    if not read and not is_open:
        return Opinion("nonsense", "there is no record", [path])
    return Opinion("unsure") if is_open else Opinion("sound", content=(read, bad))


def difference(table: Any, content: tuple[list[Read], int], *, skip: bool) -> str:
    """What a table of fsa has otherwise than the oracle; "" for nothing."""
    read, bad = content
    wanted = defaultdict(list)
    for one in read:
        wanted[one.user].append((one.prompt, one.options, one.places, one.group, one.split))
    users = [user.as_py() for user in table.users]
    if sorted(users) != sorted(wanted):
        return f"users are {users}, wanted {sorted(wanted)}"
    for user, choices in wanted.items():
        found = [
            (c.prompt, tuple(c.options), c.outcome.places(len(c.options)), c.group, c.split)
            for c in table.choices_of(user)
        ]
        if repr(found) != repr(choices):
            return f"choices of {user} are {found}, wanted {choices}"[:1000]
    if skip and table.counts.get("bad_records", 0) != bad:
        return f"{table.counts.get('bad_records')} bad records were counted, there are {bad}"
    return ""


def rows_of_jsonl(content: bytes, path: str) -> list[Row]:
    """Lines of a JSONL file, plain or gzipped."""
    damage = None
    if content[:2] == b"\x1f\x8b":
        content, damage = _unpacked(content)
    if damage:
        return [(path, damage)]  # how far a reader comes depends on how much it reads at once
    rows: list[Row] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip(b" \t\r\n"):
            continue
        place = f"{path}:{number}:"
        try:
            text = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode()
            if not text.strip():
                rows.append((place, Unsure()))
                continue
            # What Python strips and JSON does not have: no reading is forbidden by the page.
            has_odd_space = text.strip(" \t\r\n") != text.strip()
            rows.append((place, Unsure() if has_odd_space else strict_json(text)))
        except UnicodeDecodeError:
            rows.append((place, Nonsense("the line is not UTF-8")))
        except Nonsense as wrong:
            rows.append((place, wrong))
    return rows


def _unpacked(content: bytes) -> tuple[bytes, Exception | None]:
    """What is packed, or why it cannot be unpacked."""
    try:
        return gzip.decompress(content), None
    except Exception:
        return b"", _Damaged("it is a damaged gzip file")


class _Damaged(Nonsense):
    """Of the whole file: skipping does not help."""


def is_damaged(rows: Sequence[Row]) -> bool:
    """Whether a file is damaged from some place on, so that no row may be kept."""
    return bool(rows) and isinstance(rows[-1][1], _Damaged)


def rows_of_csv(content: bytes, path: str) -> list[Row]:
    """Rows of a CSV file by RFC 4180, read letter by letter."""
    damage = None
    if content[:2] == b"\x1f\x8b":
        content, damage = _unpacked(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [(path, _Damaged("it is not UTF-8"))]
    text = text.removeprefix("\ufeff")
    if damage or "\r" in text.replace("\r\n", "") or "\0" in text:
        return [(path, damage or Unsure())]
    first = text.split("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        cells = _cells(text, delimiter)
    except Unsure as unsure:
        return [(path, unsure)]
    except Nonsense:
        return [(path, _Damaged("it is no CSV"))]
    names = [name.strip() for name in cells[0][1]] if cells else []
    if not names:
        return [(path, _Damaged("it is empty"))]
    if len(set(names)) < len(names) or "" in names:
        return [(f"{path}:1:", _Damaged("a column is named twice, or not at all"))]
    rows: list[Row] = []
    for line, row in cells[1:]:
        place = f"{path}:{line}:"
        if row == [""]:
            continue  # an empty line
        if len(row) != len(names):
            rows.append((place, Nonsense("a row has another number of cells")))
            continue
        rows.append((place, of_row({n: c for n, c in zip(names, row, strict=True) if c}, set(names))))
    return rows


def _cells(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The line on which each row begins, and its cells."""
    rows: list[tuple[int, list[str]]] = []
    row: list[str] = []
    cell, line, begins, quoted, was_quoted = "", 1, 1, False, False
    i = 0
    while i < len(text):
        letter = text[i]
        i += 1
        if quoted:
            if letter == '"' and text[i : i + 1] == '"':
                cell, i = cell + '"', i + 1
            elif letter == '"':
                quoted, was_quoted = False, True
            else:
                line += letter == "\n"
                cell += letter
        elif letter == '"' and not cell and not was_quoted:
            quoted = True
        elif letter == '"':
            raise Unsure  # a quotation mark inside a bare cell, or one more after its end
        elif letter == delimiter:
            row, cell, was_quoted = [*row, cell], "", False
        elif letter in "\r\n":
            i += letter == "\r"
            rows.append((begins, [*row, cell]))
            line += 1
            row, cell, was_quoted, begins = [], "", False, line
        elif was_quoted:
            raise Nonsense("text after a quoted cell")
        else:
            cell += letter
    if quoted:
        raise Nonsense("a quoted cell does not end")
    if row or cell or was_quoted:
        rows.append((begins, [*row, cell]))
    return rows


def of_row(row: dict[str, Any], text_columns: set[str]) -> Any:
    """A row of typed columns as a record: what docs/data.md says of nulls, numbers and lists in text."""
    record = {name: value for name, value in row.items() if value is not None}
    record = {name: value for name, value in record.items() if name in _ROW_FIELDS}
    for name in ("user", "group", "split"):
        if type(record.get(name)) is int:
            record[name] = str(record[name])
    if "rejected" in record:
        return record
    for name in ("options", "ranking"):
        if name in text_columns and isinstance(record.get(name), str):
            try:
                record[name] = strict_json(record[name])
            except Nonsense:
                return Nonsense(f"{name} is no list in JSON", name)
    chosen = record.get("chosen")
    if "chosen" in text_columns and isinstance(chosen, str) and chosen.isascii() and chosen.isdigit():
        record["chosen"] = int(chosen[:400])
    return record


_ROW_FIELDS = {"user", "prompt", "options", "chosen", "ranking", "rejected", "group", "split"}
