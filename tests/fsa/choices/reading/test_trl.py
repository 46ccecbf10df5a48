import pytest

from fsa.choices.reading.trl import explicit_prompt
from fsa.errors import ChoiceDataError


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


ASK, YES, NO = said("user", "Tea?"), said("assistant", "Yes."), said("assistant", "No.")


def test_texts_with_a_prompt_are_taken_as_they_are():
    assert explicit_prompt("Tea?", "Tea? Yes", "Tea? No") == ("Tea?", ("Tea? Yes", "Tea? No"))


def test_a_dialogue_ends_after_the_last_turn_of_the_assistant():
    start = "\n\nHuman: Tea?\n\nAssistant:"
    assert explicit_prompt(None, start + " Yes, a", start + " Yes, b") == (start, (" Yes, a", " Yes, b"))


def test_other_texts_are_cut_after_the_last_whole_word_and_the_space_is_the_replies():
    assert explicit_prompt(None, "I like tea", "I like toast") == ("I like", (" tea", " toast"))
    assert explicit_prompt(None, "tea", "toast") == ("", ("tea", "toast"))


def test_chats_share_their_prompt():
    assert explicit_prompt(None, (ASK, YES), (ASK, NO)) == ((ASK,), ((YES,), (NO,)))
    assert explicit_prompt((ASK,), (ASK, YES), (ASK, NO)) == ((ASK,), ((YES,), (NO,)))


def test_there_has_to_be_a_reply():
    with pytest.raises(ChoiceDataError):
        explicit_prompt(None, (ASK,), (ASK, NO))
