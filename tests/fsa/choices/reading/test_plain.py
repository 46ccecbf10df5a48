from hypothesis import given, settings
from hypothesis import strategies as st

from fsa.choices.reading.plain import FIELDS, are_different, are_plain, are_usual, usual_pick
from fsa.choices.reading.record import parse_record
from fsa.types import Choice, Pick


def record(**fields):
    return {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No", "Later"], **fields}


TEXT = st.text(st.sampled_from("aé \n\0\x1e!\u00a0\ud800"), max_size=3)


VALUE = st.one_of(TEXT, st.integers(-1, 3), st.lists(TEXT, max_size=4), st.none(), st.booleans())


@given(st.dictionaries(st.sampled_from([*sorted(FIELDS), "other"]), VALUE), st.booleans())
@settings(max_examples=500, deadline=None)
def test_the_short_way_through_a_record_gives_what_the_long_way_gives(raw, is_whole):
    raw = {**record(chosen=1), **raw} if is_whole else raw
    pick = usual_pick(raw, set())
    if pick is not None:
        user, prompt, options, chosen, group, split = pick
        assert parse_record(raw, "f:1") == Choice(user, prompt, tuple(options), Pick(chosen), group, split)


def test_most_records_take_the_short_way():
    assert usual_pick(record(chosen=1, group="g"), set()) == (
        "ann",
        "Tea?",
        ["Yes", "No", "Later"],
        1,
        "g",
        "",
    )
    trl = {"user": "ann", "prompt": "Tea?", "chosen": "Ja", "rejected": "Nein", "score": 1}
    assert usual_pick(trl, set()) == ("ann", "Tea?", ["Ja", "Nein"], 0, "", "")


def test_plain_texts_can_be_seen_and_written_and_are_no_chat():
    assert are_plain(["Tea?", "é", "a b"])
    for bad in ("", "  ", "\u200b", "a\0b", "\x1echat", "a\ud800", 7, None, ["a"]):
        assert not are_plain(["Tea?", bad])


def test_options_that_look_the_same_are_not_different():
    assert are_different(["é", "e"])
    assert not are_different(["\u00e9", "e\u0301"])  # one accent, encoded in two ways
    assert are_usual([("Tea?", "Tea?", "No")])  # a prompt may be an option
    assert not are_usual([("Tea?", "No", "No")])
