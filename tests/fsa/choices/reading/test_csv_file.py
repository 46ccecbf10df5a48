import gzip

import pytest

from fsa.choices.reading.csv_file import CsvFile
from fsa.errors import ChoiceDataError

PACKED = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7919 % 9973) for i in range(50_000)))


def rows(path, content: bytes) -> list:
    path.write_bytes(content)
    bad: list[str] = []
    return [*CsvFile(path).rows(lambda error: bad.append(str(error))), *bad]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_delimiter_is_whichever_the_first_line_has_most_of(tmp_path, sign):
    path = tmp_path / "a.csv"
    assert rows(path, f"a{sign}b\n1{sign}\n".encode()) == [
        (f"{path}:2", {"a": "1"})
    ]  # an empty cell is left out


def test_order_mark_gzip_and_line_ends_in_quotes(tmp_path):
    path = tmp_path / "a.csv"
    content = '\ufeffa,b\n"x\ny",2\n3,4\n'.encode()
    wanted = [(f"{path}:2", {"a": "x\ny", "b": "2"}), (f"{path}:4", {"a": "3", "b": "4"})]
    assert rows(path, content) == wanted
    assert rows(path, gzip.compress(content)) == wanted


def test_a_row_of_another_length_is_told_of_by_its_line(tmp_path):
    path = tmp_path / "a.csv"
    assert rows(path, b"a,b\n1,2\n3\n") == [
        (f"{path}:2", {"a": "1", "b": "2"}),
        f"{path}:3: row must have 2 cells, one a column, came 1",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,a\n", "1: must name each column once, came 'a' twice"),
        (b"a,\n", "a column without a name"),
        (b"a,b\n\xff,1\n", "2: line must be UTF-8, byte 1 of it is 0xff"),
        (b'a,b\n"x"y,1\n', "2: row must be CSV"),
        (PACKED[: len(PACKED) // 2], "damaged gzip file"),
    ],
)
def test_what_is_no_csv_is_one_error(tmp_path, content, said):
    with pytest.raises(ChoiceDataError, match=said):
        rows(tmp_path / "a.csv", content)
