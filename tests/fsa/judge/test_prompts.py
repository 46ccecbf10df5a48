"""What a judge is told: everything that it needs, nothing left unfilled."""

import json
import re

from fsa.judge.attributes import HELPSTEER2, MORAL_FOUNDATIONS
from fsa.judge.prompts import (
    answer,
    choosing_instructions,
    cut,
    cut_start,
    scoring_instructions,
    under_letters,
)
from fsa.judge.schema import Scored, read_scores
from fsa.judge.target import AlignmentTarget

VERBOSITY = HELPSTEER2[-1]


def test_instructions_hold_the_definition_and_both_ends_and_no_placeholder():
    checked = 0
    for attribute in (*HELPSTEER2, *MORAL_FOUNDATIONS):
        for compare in (True, False):
            text = scoring_instructions(attribute, compare)
            for part in (attribute.name, attribute.definition, attribute.high, attribute.low):
                assert part in text
            assert not re.search(r"[{}]", text)
            checked += 1
    assert checked == 22


def test_only_a_comparison_is_asked_to_compare():
    assert "against each other" in scoring_instructions(VERBOSITY, compare=True)
    assert "against each other" not in scoring_instructions(VERBOSITY, compare=False)


def test_the_unaligned_choice_hears_nothing_of_a_target():
    text = choosing_instructions(None, HELPSTEER2)
    assert "best" in text
    assert not any(attribute.name in text for attribute in HELPSTEER2)


def test_a_target_is_told_in_words_with_weights_and_bounds():
    target = AlignmentTarget(
        {"verbosity": 0.25, "care": 1, "wit": 0}, weights={"verbosity": 2}, at_least={"care"}
    )
    text = choosing_instructions(target, (*HELPSTEER2, *MORAL_FOUNDATIONS))
    assert "- verbosity: 25, which counts 2 times (100: it is long" in text
    assert "- care: at least 100 (100: " in text
    assert "- wit: 0\n" in text  # no definition of it


def test_responses_stand_under_their_letters_and_braces_stay():
    text = under_letters("Say {x}.", ["{response}", "two"], "AB")
    assert text == "Prompt:\nSay {x}.\n\nResponse A:\n{response}\n\nResponse B:\ntwo"
    assert under_letters("", ["one"], "A") == "Response A:\none"


def test_a_chat_is_shown_as_text_not_as_python():
    chat = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})
    assert "user: Hi\n\nassistant: Hello" in under_letters(chat, ["one"], "A")


def test_a_cut_says_how_much_is_gone():
    assert cut("abcdef", 4) == "abcd [... 2 more characters]"
    assert cut_start("abcdef", 4) == "[2 characters before ...] cdef"
    assert cut("abcd", 4) == cut_start("abcd", 4) == "abcd"
    assert cut("abcd", None) == cut_start("abcd", None) == "abcd"


def test_an_examples_answer_is_what_the_schema_asks_for():
    text = answer({"A": (0.25, "It is “short”."), "B": (1.0, "word " * 20)}, 30)
    found, problems = read_scores(text, "AB", 30)
    assert problems == ()
    assert found["A"] == Scored(0.25, "It is “short”.")
    assert found["B"] == Scored(1.0, "word word word word word...")
    assert text == json.dumps(json.loads(text), ensure_ascii=False)  # JSON, not a Python dict
