import base64

import pytest

from fsa.errors import ConfigError
from fsa.judge.engines.secrets import masked, secret

KEY = "sk-test/123+abc"


def test_white_space_around_a_key_goes_and_none_is_empty(monkeypatch):
    monkeypatch.setenv("A_KEY", f"  {KEY}\n")
    assert secret("A_KEY") == KEY
    monkeypatch.delenv("A_KEY")
    assert secret("A_KEY") == ""


@pytest.mark.parametrize("key", ["two words", "line\nend", "schlüssel"])
def test_a_key_that_no_header_takes_is_refused_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("A_KEY", key)
    with pytest.raises(ConfigError, match=r"\$A_KEY") as caught:
        secret("A_KEY")
    assert key not in str(caught.value)


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_key_is_masked_as_it_is_in_capitals_escaped_and_in_base64(before):
    coded = base64.b64encode((before + KEY).encode()).decode()
    for text in (KEY, KEY.upper(), KEY.replace("/", "\\/"), KEY.replace("+", "\\u002b"), coded):
        assert "***" in masked(f"before {text} after", KEY)
    assert KEY[4:] not in masked(f"x{KEY}y", KEY)


def test_a_key_too_short_to_hide_anything_masks_nothing():
    assert masked("a word", "a") == "a word"
