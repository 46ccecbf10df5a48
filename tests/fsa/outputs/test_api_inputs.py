import pytest

from fsa.errors import ChoiceDataError
from fsa.outputs.api_inputs import as_choice, as_choices, as_items, as_prompts, as_response
from fsa.types import Choice, Pick, Tie

CHAT = [{"role": "user", "content": "Tea?"}]
RECORD = {"prompt": "Tea?", "options": ["Yes", "No"], "chosen": 1}
ANN = Choice("ann", "Tea?", ("Yes", "No"), Pick(0))


def test_usual_choices_come_back_as_they_are_and_others_are_checked_one_by_one():
    assert as_choices([ANN, ANN]) == [ANN, ANN]
    assert as_choices([ANN, RECORD])[1] == Choice("person", "Tea?", ("Yes", "No"), Pick(1))
    assert as_choices([]) == []


@pytest.mark.parametrize(
    "bad",
    [
        Choice("ann", "Tea?", ("Yes", "Yes"), Pick(0)),
        Choice("ann", "Tea?", ("Yes", ""), Pick(0)),
        Choice("ann", "Tea?", ("Yes",), Pick(0)),
        Choice("ann", "Tea?", ("Yes", "No"), Pick(2)),
        Choice("ann", "Tea?", ("Yes", "No"), Pick(-1)),
        Choice("ann", "Tea?", ("Yes", "No"), Tie(())),
        Choice("ann", "Te\ud800", ("Yes", "No"), Pick(0)),
        {"options": ["Yes"]},
        7,
    ],
)
def test_a_choice_that_is_none_is_named_by_its_position_in_any_company(bad):
    with pytest.raises(ChoiceDataError, match=r"^choices\[1\]"):
        as_choices([ANN, bad])
    with pytest.raises(ChoiceDataError, match=r"^choices\[3\]"):
        as_choice(bad, 3)


def test_responses_to_several_prompts_come_in_one_list_each_with_its_prompt():
    assert as_items(["p", "q"], [["a", "b"], ["c"]]) == (["p", "p", "q"], ["a", "b", "c"])
    prompts, responses = as_items([CHAT, ""], [[(1, 2)], [""]])
    assert prompts == [tuple(CHAT), ""]
    assert responses == [(1.0, 2.0), ""]


def test_what_is_no_prompt_or_response_is_named():
    with pytest.raises(ChoiceDataError, match=r"^prompts\[1\]"):
        as_prompts(["p", 3])
    with pytest.raises(ChoiceDataError, match=r"^responses\[0\]\[1\]"):
        as_items(["p"], [["a", None]])
    deep: list = []
    for _ in range(30):
        deep = [deep]
    with pytest.raises(ChoiceDataError, match=r"^here: .*nested more than"):
        as_response(deep, "here")


def test_minus_zero_is_zero():
    assert str(as_response([-0.0], "here")) == "(0.0,)"
