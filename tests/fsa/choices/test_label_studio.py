"""Tasks as Label Studio exports them in, its annotators' choices out."""

import pytest

from fsa.choices.label_studio import LabelStudio
from fsa.errors import ChoiceDataError
from fsa.types import Pick, Ranking, Tie
from tests.factories.exports import label_studio, write_json

ITEMS = [{"id": name, "title": name, "body": f"Reply {name}"} for name in ("a", "b", "c")]


def annotation(kind, value, by: object = 3, **more):
    result = {"from_name": "q", "to_name": "t", "type": kind, "value": value}
    return {"completed_by": by, "was_cancelled": False, "result": [result], **more}


def task(*annotations, **data):
    given = data or {"prompt": "Tea?", "answer1": "Yes.", "answer2": "No."}
    return {"id": 1, "data": given, "annotations": list(annotations)}


def load(tmp_path, rows, **arguments):
    table = LabelStudio(write_json(tmp_path / "s.json", rows), cache=False, **arguments).load()
    return [table.choice(i) for i in range(len(table))], table.counts


def test_the_pairwise_template(tmp_path):
    choices, counts = load(tmp_path, label_studio())
    assert len(choices) == 48
    assert not any(counts.values())
    # Person 0 chooses the right text of prompt 0, the left of prompt 1.
    assert [(c.user, c.outcome) for c in choices[:2]] == [("0", Pick(1)), ("0", Pick(0))]
    assert choices[0].options == (label_studio()[0]["data"]["text1"], label_studio()[0]["data"]["text2"])


def test_several_annotators_of_one_task_are_several_people(tmp_path):
    people = [7, "ann", {"id": 9, "email": "bob@example.org"}]
    rows = [task(*(annotation("pairwise", {"selected": "left"}, by) for by in people))]
    assert sorted(c.user for c in load(tmp_path, rows)[0]) == ["7", "9", "ann"]


def test_a_ranker_orders_the_items_of_a_list(tmp_path):
    rows = [task(annotation("ranker", {"ranker": {"_": ["c", "a", "b"]}}), prompt="Tea?", items=ITEMS)]
    choices, _ = load(tmp_path, rows)
    assert choices[0].options == ("Reply a", "Reply b", "Reply c")
    assert choices[0].outcome == Ranking((2, 0, 1))
    buckets = {"ranker": {"good": ["b"], "bad": ["a", "c"]}}
    rows = [task(annotation("ranker", buckets), prompt="Tea?", items=ITEMS)]
    assert load(tmp_path, rows, bucket="good")[0][0].outcome == Pick(1)
    with pytest.raises(ChoiceDataError, match=r"bucket must be named \(--bucket NAME\), one of good, bad"):
        load(tmp_path, rows)


def test_labels(tmp_path):
    said = [["answer2"], ["Tie"], ["Neither"]]
    rows = [task(*(annotation("choices", {"choices": each}, f"u{i}") for i, each in enumerate(said)))]
    choices, counts = load(tmp_path, rows)
    assert [c.outcome for c in choices] == [Pick(1), Tie((0, 1))]
    assert counts["both_bad"] == 1


def test_what_was_skipped_or_not_answered_is_counted(tmp_path):
    good = annotation("pairwise", {"selected": "left"})
    rows = [task(good, {**good, "was_cancelled": True}, annotation("rating", {"rating": 3}))]
    choices, counts = load(tmp_path, rows)
    assert (len(choices), counts["skipped_annotations"], counts["unanswered"]) == (1, 1, 1)


def test_a_task_without_a_prompt_is_kept_and_counted(tmp_path):
    rows = [task(annotation("pairwise", {"selected": "right"}), text1="Yes.", text2="No.")]
    choices, counts = load(tmp_path, rows)
    assert (choices[0].prompt, choices[0].outcome, counts["without_prompt"]) == ("", Pick(1), 1)


LEFT = {"selected": "left"}
BAD = {
    "selected": (
        task(annotation("pairwise", {"selected": "up"})),
        r'annotations\[0\].result\[0\].value.selected must be "left" or "right", came "up"',
    ),
    "person": (
        task(annotation("pairwise", LEFT, None)),
        r"annotations\[0\].completed_by must be who chose, as a text or whole number, came null",
    ),
    "id": (
        task(annotation("ranker", {"ranker": {"_": ["z"]}}), items=ITEMS),
        r'annotations\[0\].result\[0\].value.ranker._\[0\] must be one of a, b, c, came "z"',
    ),
    "fields": (
        task(annotation("pairwise", LEFT), prompt="Tea?", good="Yes.", other="No."),
        "options must be two fields such as answer1 and answer2",
    ),
    "minimal": (
        {"id": 1, "prompt": "Tea?", "annotations": [], "data": None},
        "data must be an object, came null",
    ),
    "annotations": ({"data": {}, "annotations": None}, "annotations must be a list .the export JSON has it"),
    "two": (
        task({"completed_by": 1, "result": 2 * annotation("pairwise", LEFT)["result"]}),
        "question must be named",
    ),
    "label": (
        task(annotation("choices", {"choices": ["A"]})),
        r'value.choices\[0\] must be one of answer1, answer2 .or map it: --values .+, came "A"',
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_task_names_file_row_field_and_value_or_is_counted(tmp_path, name):
    bad, what = BAD[name]
    rows = [task(annotation("pairwise", LEFT)), bad, task(annotation("pairwise", LEFT))]
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/s.json:2: .*{what}"):
        load(tmp_path, rows)
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        choices, counts = load(tmp_path, rows, on_bad_record="skip")
    assert (counts["bad_records"], len(choices)) == (1, 2)
