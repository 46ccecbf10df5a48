"""Answers that name fields, in whatever spelling."""

import pytest

from fsa.choices.reading.named_options import NamedOptions, order_of, pair_in, prompt_in
from fsa.errors import ChoiceDataError

PAIR = NamedOptions({"response_1": "Yes.", "response_2": "No."}, {"A": "response_1"})


def test_spellings_and_mapped_values():
    assert [PAIR.find(v) for v in ("response_2", "Response 2", "response-2", "A", "B", 3)] == [
        1,
        1,
        1,
        0,
        None,
        None,
    ]
    assert PAIR.responses == ["Yes.", "No."]


def test_words_for_ties_and_for_neither():
    assert PAIR.outcome("No preference", "x:1", "q") == {"chosen": "tie"}
    assert PAIR.outcome("both bad", "x:1", "q") is None
    with pytest.raises(ChoiceDataError, match=r'x:1: q must be one of response_1, response_2 .*, came "B"'):
        PAIR.outcome("B", "x:1", "q")


def test_what_an_answer_could_be_of():
    assert PAIR.understands(["response-2", "response-1"])
    assert PAIR.understands("tie")
    assert not PAIR.understands("It is shorter.")
    assert not PAIR.understands([])


def test_scores_are_an_order_down_to_the_first_that_is_shared():
    assert order_of({0: 1.0, 1: 3.0, 2: 2.0}, 3) == {"ranking": [1, 2, 0]}
    assert order_of({0: 1.0, 1: 3.0, 2: 1.0}, 3) == {"ranking": [1]}
    assert order_of({0: 2.0, 1: 2.0}, 2) == {"chosen": "tie"}
    assert order_of({0: 2.0, 1: 2.0, 2: 1.0}, 3) == {}
    assert order_of({0: 2.0, 1: 2.0}, 3) == {}  # of the third nothing is known


def test_fields_are_found_where_they_are_plain():
    assert prompt_in({"text": 1, "question": 2}, None, "x:1") == "question"
    assert prompt_in({"text": 1}, "text", "x:1") == "text"
    with pytest.raises(ChoiceDataError, match="x:1: prompt must be the field 'q', came \"text\""):
        prompt_in({"text": 1}, "q", "x:1")
    assert pair_in({"id": 1, "reply_a": 2, "reply_b": 3}, "x:1") == ("reply_a", "reply_b")
    for fields in ({"a1": 1, "a2": 2, "b1": 3, "b2": 4}, {"good": 1, "bad": 2}):
        with pytest.raises(ChoiceDataError, match="x:1: options must be two fields such as"):
            pair_in(fields, "x:1")
