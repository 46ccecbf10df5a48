"""Measures of a text."""

import math

import pytest
from numpy.testing import assert_allclose

from fsa.errors import FeatureError
from fsa.features.measures import MEASURES, measure


def test_values_by_hand() -> None:
    # 12 characters, 3 words, 2 lines that are not blank.
    values = measure(["log_length", "log_words", "log_lines"], ["one two\n\nsix", ""])
    assert_allclose(values, [[math.log(13), math.log(4), math.log(3)], [0, 0, 0]])


def test_a_chat_measures_as_its_content() -> None:
    chat = ({"role": "assistant", "content": "four"},)
    assert_allclose(measure(["log_length"], [chat]), [[math.log(5)]])


def test_every_measure_takes_an_empty_text() -> None:
    assert len(MEASURES) == 8
    assert measure(list(MEASURES), [""]).tolist() == [[0.0] * 8]


def test_no_names_give_no_columns_even_for_numbers() -> None:
    assert measure([], [(0.5,), (1.0,)]).shape == (2, 0)
    assert measure(["log_length"], []).shape == (0, 1)


def test_unknown_names_and_numbers_are_refused() -> None:
    with pytest.raises(FeatureError, match="measure is 'length'; it is one of log_length"):
        measure(["length"], ["a"])
    with pytest.raises(FeatureError, match="response 0 is numbers"):
        measure(["log_length"], [(0.5,)])


def test_lists_word_lengths_and_exclamations_by_hand():
    text = "Do this!\n- one\n  2. two\n3 no item\n* three!!"
    values = measure(["log_list_items", "word_length", "log_exclamations"], [text])
    words = [2, 5, 1, 3, 2, 3, 1, 2, 4, 1, 7]
    assert_allclose(values[0], [math.log(4), sum(words) / len(words), math.log(4)])


def test_questions_and_the_first_person_by_hand():
    text = "I think so. Is it mine? My cat and I like it, don't we?! Mime is no word of mine."
    values = measure(["log_questions", "log_first_person"], [text])
    # I, mine, My, I, mine; neither "it" nor "Mime".
    assert_allclose(values[0], [math.log(3), math.log(6)])
