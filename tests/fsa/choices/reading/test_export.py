"""What exports have in common: people, messages, the columns that are read, and what is kept."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fsa.choices.reading.export import Export, has_ink, messages_in, person_in
from fsa.errors import ChoiceDataError
from tests.factories.exports import write_lines


class Votes(Export):
    """Rows of who, and which of two letters."""

    needs = ("who",)
    reads = ("vote",)
    counted = ("odd",)

    def __init__(self, path, **more):
        super().__init__(path, revision=None, on_bad_record="stop", ties="keep", cache=True, **more)
        self.rows = []

    def _of_row(self, row, where, split):
        self.rows.append(dict(row))
        self._counts["odd"] += 1
        user = person_in(row["who"], where, "who")
        yield where, {"user": user, "prompt": "p", "options": ["a", "b"], "chosen": row["vote"]}


def test_a_row_is_read_in_the_columns_that_are_wanted(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    pq.write_table(pa.Table.from_pylist([{"who": 1, "vote": 0, "long": "x" * 999}]), tmp_path / "v.parquet")
    source = Votes(str(tmp_path / "v.parquet"))
    table = source.load()
    assert source.rows == [{"who": 1, "vote": 0}]
    assert (table.choice(0).user, table.counts) == ("1", {"odd": 1})
    again = Votes(str(tmp_path / "v.parquet"))
    assert again.load().choice(0) == table.choice(0)
    assert again.rows == []  # it was kept


def test_rows_may_be_in_memory_and_a_record_that_is_none_is_refused(tmp_path):
    assert len(Votes([{"who": "ann", "vote": 1}]).load()) == 1
    path = write_lines(tmp_path / "v.jsonl", [{"who": "ann", "vote": 2}])
    with pytest.raises(ChoiceDataError, match=r"v.jsonl:1: chosen must be the number of one of the 2"):
        Votes(path).load()


def test_people_are_texts_or_numbers():
    assert (person_in("ann", "x:1", "by"), person_in(7, "x:1", "by")) == ("ann", "7")
    for value in (None, " ", 1.5, True):
        with pytest.raises(ChoiceDataError, match=r"^x:1: by must be who chose"):
            person_in(value, "x:1", "by")


def test_messages_have_plain_roles_and_texts():
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    said = [{"role": "human", "content": "Hi"}, {"role": "model", "content": parts, "score": 1}]
    expected = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "One.\nTwo."}]
    assert messages_in(said, "x:1", "m") == expected
    assert messages_in('[{"role": "user", "content": "Hi"}]', "x:1", "m") == expected[:1]
    assert messages_in(said[0], "x:1", "m") == expected[:1]
    assert has_ink(expected)
    assert not has_ink([{"role": "user", "content": "\n"}])
    with pytest.raises(ChoiceDataError, match=r"m\[0\].content\[0\] must be a part with a text"):
        messages_in([{"role": "user", "content": [{"type": "image"}]}], "x:1", "m")
    with pytest.raises(ChoiceDataError, match=r"m must be messages as JSON"):
        messages_in("[{", "x:1", "m")
