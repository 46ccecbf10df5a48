import pytest

from fsa.choices.stored_text import decode_chat, encode_text
from fsa.errors import ChoiceDataError

CHAT = ({"role": "user", "content": "Hé\u2028?"},)


def test_no_text_can_pass_for_a_chat():
    with pytest.raises(ChoiceDataError, match="must not begin with"):
        encode_text('\x1e[{"role": "user", "content": "a"}]')
    assert decode_chat(encode_text(CHAT)) == CHAT
    assert encode_text(({"content": "a", "role": "user"},)) == encode_text(
        ({"role": "user", "content": "a"},)
    )
