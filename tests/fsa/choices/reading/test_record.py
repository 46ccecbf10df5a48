"""Records in, choices out; what the format refuses is in test_jsonl.py, as files."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsa.choices.reading.record import parse_record
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick, Ranking, Tie

USER = {"role": "user", "content": "Hi"}
HELLO = {"role": "assistant", "content": "Hello!"}
WHAT = {"role": "assistant", "content": "What?"}
SYSTEM = {"role": "system", "content": ""}


def record(**fields):
    return {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No", "Later"], **fields}


def test_each_way_to_say_an_outcome():
    assert parse_record(record(chosen=2), "f:1").outcome == Pick(2)
    assert parse_record(record(chosen="tie"), "f:1").outcome == Tie((0, 1, 2))
    assert parse_record(record(ranking=[2, 0, 1]), "f:1").outcome == Ranking((2, 0, 1))
    assert parse_record(record(ranking=[1]), "f:1").outcome == Pick(1)  # the best alone: a pick
    assert parse_record(record(options=["a", "b"], ranking=[1, 0]), "f:1").outcome == Pick(1)


def test_group_and_split_pass_through():
    choice = parse_record(record(chosen=0, group="g", split="test"), "f:1")
    assert (choice.group, choice.split) == ("g", "test")


def test_numbers_need_no_prompt_and_a_bare_number_is_a_vector():
    choice = parse_record({"user": "ann", "options": [0.25, 1], "chosen": 1}, "f:1")
    assert (choice.prompt, choice.options) == ("", ((0.25,), (1.0,)))


def test_minus_zero_is_zero():
    with pytest.raises(ChoiceDataError, match="options 0 and 1 are equal"):
        parse_record({"user": "ann", "options": [0.0, -0.0], "chosen": 1}, "f:1")


def test_chats_are_kept_in_one_order_of_keys():
    swapped = {"content": "Hello!", "role": "assistant"}
    one = parse_record(record(prompt=[USER], options=[[HELLO], [WHAT]], chosen=0), "f:1")
    other = parse_record(record(prompt=[USER], options=[[swapped], [WHAT]], chosen=0), "f:1")
    assert ChoiceTable.from_choices([one, other]).num_items == 2


@pytest.mark.parametrize(
    ("fields", "prompt", "options"),
    [
        ({"prompt": "Sky?", "chosen": "Blue", "rejected": "Red"}, "Sky?", ("Blue", "Red")),
        # TRL's own example: the space goes with the replies.
        (
            {"chosen": "The sky is blue.", "rejected": "The sky is green."},
            "The sky is",
            (" blue.", " green."),
        ),
        (
            {"chosen": "The sky is blue.", "rejected": "The sky is black."},
            "The sky is",
            (" blue.", " black."),
        ),
        ({"chosen": "Q?\nblue", "rejected": "Q?\nblack"}, "Q?\n", ("blue", "black")),
        ({"chosen": "blue", "rejected": "black"}, "", ("blue", "black")),
        ({"chosen": "Hi", "rejected": "Hi there"}, "", ("Hi", "Hi there")),
        # One dialogue is one prompt, whatever words its replies share.
        (
            {
                "chosen": "\n\nHuman: Q?\n\nAssistant: I do.",
                "rejected": "\n\nHuman: Q?\n\nAssistant: I do not.",
            },
            "\n\nHuman: Q?\n\nAssistant:",
            (" I do.", " I do not."),
        ),
        ({"prompt": [USER], "chosen": [HELLO], "rejected": [WHAT]}, ({**USER},), ((HELLO,), (WHAT,))),
        ({"chosen": [USER, HELLO], "rejected": [USER, WHAT]}, (USER,), ((HELLO,), (WHAT,))),
        ({"prompt": [USER], "chosen": [USER, HELLO], "rejected": [USER, WHAT]}, (USER,), ((HELLO,), (WHAT,))),
        ({"prompt": "Hi", "chosen": [USER, HELLO], "rejected": [USER, WHAT]}, (USER,), ((HELLO,), (WHAT,))),
        (
            {"chosen": [SYSTEM, USER, HELLO, USER, WHAT], "rejected": [SYSTEM, USER, WHAT]},
            (SYSTEM, USER),
            ((HELLO, USER, WHAT), (WHAT,)),
        ),
        ({"prompt": "Hi", "chosen": [HELLO], "rejected": [WHAT]}, "Hi", ((HELLO,), (WHAT,))),
    ],
)
def test_trl_rows(fields, prompt, options):
    choice = parse_record({"user": "ann", **fields}, "f:1")
    assert (choice.prompt, choice.options, choice.outcome) == (prompt, options, Pick(0))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"chosen": [HELLO], "rejected": [WHAT]}, "prompt is missing"),
        ({"chosen": [USER, HELLO], "rejected": [USER]}, "rejected must hold a reply"),
        (
            {"prompt": "Tea?", "chosen": [USER, HELLO], "rejected": [USER, WHAT]},
            "prompt must be among the messages",
        ),
        ({"prompt": "", "chosen": "a", "rejected": "a"}, "rejected must be different from chosen"),
        ({"prompt": "", "chosen": "a", "rejected": [WHAT]}, "rejected must be a text as chosen is"),
        ({"prompt": "", "chosen": 0, "rejected": "a"}, "chosen must be a text or a list of messages"),
        (
            {"prompt": "", "chosen": "a", "rejected": "b", "options": ["a"]},
            "options and rejected belong to two",
        ),
        ({"chosen": "\n\nAssistant: a", "rejected": "\n\nAssistant: "}, "rejected must hold a reply"),
        ({"prompt": "", "rejected": "b"}, "chosen is missing"),
    ],
)
def test_trl_rows_that_cannot_be_told_apart(fields, said):
    with pytest.raises(ChoiceDataError, match=f"^f:1: {said}"):
        parse_record({"user": "ann", **fields}, "f:1")


def test_what_came_is_shown_in_at_most_80_characters():
    with pytest.raises(ChoiceDataError) as error:
        parse_record(record(chosen="x" * 10_000), "f:1")
    assert len(str(error.value)) < 180
    assert str(error.value).endswith('came "' + "x" * 76 + "...")


text = st.text(st.characters(exclude_categories=["Cs", "Cf"], exclude_characters="\0"), min_size=1)
plain = text.filter(lambda value: not value.isspace() and not value.startswith("\x1e"))
chat = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": plain}),
    min_size=1,
    max_size=3,
)
number = st.floats(allow_nan=False, allow_infinity=False, width=64)


def raw_of(choice: Choice) -> dict:
    """A choice as the record that says it."""
    outcome = {"chosen": "tie"}
    if isinstance(choice.outcome, Pick):
        outcome = {"chosen": choice.outcome.index}
    elif isinstance(choice.outcome, Ranking):
        outcome = {"ranking": list(choice.outcome.order)}
    listed = [option if isinstance(option, str) else list(option) for option in choice.options]
    prompt = choice.prompt if isinstance(choice.prompt, str) else list(choice.prompt)
    about = {"user": choice.user, "group": choice.group, "split": choice.split}
    return {**about, "prompt": prompt, "options": listed, **outcome}


def as_json(option) -> str:
    return json.dumps(option, sort_keys=True)  # keys of a message come in any order


def has_no_minus_zero(options) -> bool:
    return "-0.0" not in repr(options)


@st.composite
def raw_records(draw):
    kind = draw(st.sampled_from([plain, chat, st.lists(number, min_size=2, max_size=2)]))
    options = draw(st.lists(kind, min_size=2, max_size=4, unique_by=as_json).filter(has_no_minus_zero))
    ranking = draw(st.lists(st.sampled_from(range(len(options))), min_size=1, unique=True))
    outcome = draw(st.sampled_from([{"chosen": ranking[0]}, {"chosen": "tie"}, {"ranking": ranking}]))
    return {
        "user": draw(plain),
        "prompt": draw(st.one_of(plain, st.just(""), chat)),
        "options": options,
        **outcome,
    }


@settings(max_examples=200, deadline=None)
@given(raw_records())
def test_record_to_table_to_choice_loses_nothing(raw):
    choice = parse_record(raw, "f:1")
    again = ChoiceTable.from_choices([choice]).choice(0)
    assert again == choice
    assert parse_record(raw_of(again), "f:1") == choice


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
names = st.sampled_from(["user", "prompt", "options", "chosen", "ranking", "rejected", "role", "content"])
anything = st.recursive(
    leaves, lambda part: st.lists(part, max_size=3) | st.dictionaries(names, part, max_size=5), max_leaves=12
)


@settings(max_examples=200, deadline=None)
@given(
    anything
    | st.fixed_dictionaries({"user": plain, "prompt": plain, "options": anything, "chosen": anything})
)
def test_anything_is_a_choice_or_the_one_error(raw):
    try:
        choice = parse_record(raw, "f:7")
    except ChoiceDataError as error:
        choice = error
    assert isinstance(choice, Choice) or str(choice).startswith("f:7: ")
