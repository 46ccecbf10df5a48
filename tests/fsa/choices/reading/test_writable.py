import pytest

from fsa.choices.reading.writable import check_writable
from fsa.errors import ChoiceDataError


@pytest.mark.parametrize("raw", [{"a": float("inf")}, {"a": "\ud800"}])
def test_what_cannot_be_written_again_is_refused(raw):
    with pytest.raises(ChoiceDataError, match=r"^here: "):
        check_writable(raw, "here")


def test_nesting_is_bounded():
    raw: object = 1
    for _ in range(200):
        raw = [raw]
    with pytest.raises(ChoiceDataError, match="nested so deeply"):
        check_writable(raw, "here")
