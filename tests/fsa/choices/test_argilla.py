"""Records as Argilla exports them in, its annotators' choices out."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fsa.choices.argilla import Argilla
from fsa.errors import ChoiceDataError
from fsa.types import Pick, Ranking, Tie
from tests.factories.exports import argilla_flat, argilla_nested, write_json

FIELDS = {"prompt": "Tea?", "response_1": "Yes.", "response_2": "No.", "response_3": "Why?"}


def row(answers, **more):
    """A record of one question, answered by one user a value."""
    each = [{"value": value, "user_id": f"u{i}"} for i, value in enumerate(answers)]
    return {"id": "1", "fields": FIELDS, "responses": {"best": each}, "status": "completed", **more}


def load(tmp_path, rows, **arguments):
    table = Argilla(write_json(tmp_path / "a.json", rows), cache=False, **arguments).load()
    return [table.choice(i) for i in range(len(table))], table.counts


def test_both_exports_say_the_same(tmp_path):
    nested, _ = load(tmp_path, argilla_nested())
    flat, counts = load(tmp_path, argilla_flat())
    assert nested == flat
    assert len(nested) == 48
    assert not any(counts.values())
    # Person 0, prompt 0: ["response-2", "response-1"], the second best.
    assert (nested[0].user, nested[0].outcome) == ("user-0", Pick(1))
    pq.write_table(pa.Table.from_pylist(argilla_flat()), tmp_path / "a.parquet")
    parquet = Argilla(str(tmp_path / "a.parquet"), cache=False).load()
    assert [parquet.choice(i) for i in range(len(parquet))] == flat


def test_a_ranking_a_label_and_a_tie(tmp_path):
    ranked = ["response-3", "response-1", "response-2"]
    answers = [ranked, "Response 2", "tie", "neither"]
    choices, counts = load(tmp_path, [row(answers)])
    assert [c.outcome for c in choices] == [Ranking((2, 0, 1)), Pick(1), Tie((0, 1, 2))]
    assert choices[0].options == ("Yes.", "No.", "Why?")
    assert counts["both_bad"] == 1


def test_ranks_that_are_shared_end_a_ranking_or_are_a_tie(tmp_path):
    def ranks(*each):
        return [{"value": f"response_{i + 1}", "rank": rank} for i, rank in enumerate(each)]

    choices, counts = load(tmp_path, [row([ranks(1, 2, 2), ranks(1, 1, 1), ranks(1, 1, 2)])])
    assert [c.outcome for c in choices] == [Pick(0), Tie((0, 1, 2))]
    assert (counts["rankings_cut"], counts["without_best"]) == (1, 1)


def test_ratings_of_each_response_are_an_order(tmp_path):
    def rated(scores, user):
        return {f"rating_{i + 1}": [{"value": s, "user_id": user}] for i, s in enumerate(scores)}

    rows = [row([], responses=rated((2, 5, 1), "ann")), row([], responses=rated((4, 4, 4), "bob"))]
    ratings = {f"rating_{i}": f"response_{i}" for i in (1, 2, 3)}
    choices, _ = load(tmp_path, rows, ratings=ratings)
    assert [(c.user, c.outcome) for c in choices] == [("ann", Ranking((1, 0, 2))), ("bob", Tie((0, 1, 2)))]


def test_only_what_was_submitted_counts(tmp_path):
    flat = argilla_flat()[:2]
    flat[0]["best.responses.status"] = ["draft"]
    flat.append({**flat[1], "best.responses.status": ["discarded"]})
    flat.append({**flat[1], "best.responses": [], "best.responses.users": [], "best.responses.status": []})
    choices, counts = load(tmp_path, flat)
    assert len(choices) == 1
    assert (counts["drafts"], counts["discarded"], counts["unanswered"]) == (1, 1, 1)


def test_values_and_fields_may_be_said(tmp_path):
    rows = [row(["A", "B"])]
    choices, _ = load(tmp_path, rows, values={"A": "response_1", "B": "response_3"}, question="best")
    assert [c.outcome for c in choices] == [Pick(0), Pick(2)]
    choices, _ = load(tmp_path, [row(["response_2"])], options=["response_2", "response_1"])
    assert (choices[0].options, choices[0].outcome) == (("No.", "Yes."), Pick(0))


BAD = {
    "value": (row(["response_9"]), r"best.responses\[0\] must be one of response_1, response_2, response_3"),
    "rank": (row([[{"value": "response_1"}]]), r"best.responses\[0\]\[0\].rank must be a number, came null"),
    "user": (row([], responses={"best": [{"value": "tie"}]}), r"responses.best\[0\].user_id must be who"),
    "fields": (row([], fields=None), "fields must be an object, came null"),
    "prompt": (row(["tie"], fields={"text": "a", "b": "c"}), "prompt must be the field one of prompt, instr"),
    "status": (
        row([], responses={"best": [{"value": "tie", "user_id": "u", "status": "odd"}]}),
        r'responses.best\[0\].status must be submitted, draft, discarded or pending, came "odd"',
    ),
    "question": (
        row([], responses={q: [{"value": "tie", "user_id": "u"}] for q in ("one", "two")}),
        "question must be named .--question NAME.: of one, two 2 have answers",
    ),
    "no_list": ([], "row must be an object"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_names_file_row_field_and_value_or_is_counted(tmp_path, name):
    bad, what = BAD[name]
    rows = [row(["response_1"]), bad, row(["response_2"])]
    with pytest.raises(ChoiceDataError, match=rf"^{tmp_path}/a.json:2: {what}"):
        load(tmp_path, rows)
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        choices, counts = load(tmp_path, rows, on_bad_record="skip")
    assert (counts["bad_records"], len(choices)) == (1, 2)


def test_a_file_that_is_no_list_is_said_so(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(argilla_nested())[:-5])
    with pytest.raises(ChoiceDataError, match=r"a.json:1: must be one JSON list"):
        Argilla(str(tmp_path / "a.json"), cache=False).load()


def test_what_argilla_itself_writes_is_read(tmp_path):
    argilla = pytest.importorskip("argilla")
    io = pytest.importorskip("argilla.records._io")
    ranked = ["response-2", "response-1"]
    ids = ["f0c5a421-9171-4e2a-b65f-5f6b6408249f", "84606c9f-d178-433c-9f4c-f8ffd38c1678"]
    given = zip(ids, ("submitted", "draft"), strict=True)
    answers = [argilla.Response("best", ranked, user_id=user, status=status) for user, status in given]
    record = argilla.Record(
        id="1", fields={k: FIELDS[k] for k in ("prompt", "response_1", "response_2")}, responses=answers
    )
    io.JsonIO.to_json([record], str(tmp_path / "nested.json"))
    nested = Argilla(str(tmp_path / "nested.json"), cache=False).load()
    flat, counts = load(tmp_path, io.GenericIO.to_list([record], flatten=True))
    assert [(c.user, c.outcome) for c in flat] == [(ids[0], Pick(1))]
    assert counts["drafts"] == 1
    assert len(nested) == 2  # this form does not say which were submitted
