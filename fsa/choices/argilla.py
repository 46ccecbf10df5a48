"""`Argilla`: annotators' rankings, labels and ratings of responses, as Argilla exports them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.choices.reading.export import Export, person_in
from fsa.choices.reading.named_options import PROMPTS, NamedOptions, order_of, prompt_in
from fsa.choices.reading.record import refuse
from fsa.errors import ChoiceDataError
from fsa.types import is_number

_NO_FIELDS = frozenset({"id", "status", "_server_id", "inserted_at", "updated_at", "score", "external_id"})
_MARK = ".responses"


class Argilla(Export):
    """One choice an annotator and record.

    Reads both of Argilla's exports: `records.to_json(path)` and `to_list()` (nested), and `to_datasets()` and
    `to_list(flatten=True)` (`QUESTION.responses`, `.users`, `.status`), from JSON, JSONL, Parquet or a folder
    of `save_to_disk`. The nested form does not say which responses were submitted: all of it count.

    A ranking question gives a ranking, a label question a pick (labels such as "tie" a tie, such as "neither"
    nothing). With `ratings`, several rating questions give the order of the responses that they rate. Values
    mean the fields that they name in any spelling ("Response 1": response_1), else as `values` says.

    In `counts`: `drafts` and `discarded` (left out), `unanswered` (records without a response), `both_bad`
    (labels for neither, left out), `rankings_cut` (at the first shared rank or rating) and `without_best`
    (left out: several responses share the best rating).

    Args:
        path: The export.
        question: Which question says what was chosen; None takes the only one whose answers name fields.
        prompt: Field of the prompt; None takes the first of prompt, instruction, question, query, ...
        options: Fields of the responses; None takes all fields but the prompt.
        values: Field that each answer means, such as {A: response_1}.
        ratings: Field that each rating question is about, such as {rating_1: response_1}.
        reading: See `RecordSource`.
    """

    counted: ClassVar[tuple[str, ...]] = (
        "drafts",
        "discarded",
        "unanswered",
        "both_bad",
        "rankings_cut",
        "without_best",
    )

    def __init__(
        self,
        path: str,
        *,
        question: str | None = None,
        prompt: str | None = None,
        options: list[str] | None = None,
        values: dict[str, str] | None = None,
        ratings: dict[str, str] | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(path, revision=None, **reading)
        self.question, self.prompt, self.options = question, prompt, options
        self.values, self.ratings = values, ratings

    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        fields, answers = _nested(row, where) if "responses" in row else _flat(row, where)
        prompt = prompt_in(fields, self.prompt, where)
        named = NamedOptions(self._options(fields, prompt, where), self.values)
        kept = {}
        for question, each in answers.items():
            self._counts["drafts"] += sum(answer.status in ("draft", "pending") for answer in each)
            self._counts["discarded"] += sum(answer.status == "discarded" for answer in each)
            if submitted := [answer for answer in each if answer.status in (None, "submitted")]:
                kept[question] = submitted
        if not kept:
            self._counts["unanswered"] += not answers
            return
        about = {"prompt": fields[prompt], "options": named.responses}
        if self.ratings:
            yield from self._rated(kept, named, about, where)
            return
        question = self._question(kept, named, where)
        for i, answer in enumerate(kept.get(question, ())):
            field = f"{question}{_MARK}[{i}]"
            outcome = self._outcome(answer.value, named, where, field)
            if outcome is not None:
                yield where, {"user": answer.user, **about, **outcome}

    def _options(self, fields: Mapping[str, Any], prompt: str, where: str) -> dict[str, Any]:
        names = self.options or [name for name in fields if name != prompt and name not in PROMPTS]
        if missing := [name for name in names if name not in fields]:
            refuse(where, "options", "fields of the record", missing[0])
        return {name: fields[name] for name in names}

    def _question(self, answers: Mapping[str, Sequence[_Answer]], named: NamedOptions, where: str) -> str:
        if self.question:
            return self.question
        found = [name for name, each in answers.items() if any(named.understands(a.value) for a in each)]
        if len(found) == 1 or len(answers) == 1:
            return (found or list(answers))[0]
        raise ChoiceDataError(
            f"{where}: question must be named (--question NAME): of {', '.join(answers)} "
            f"{len(found) or 'none'} have answers that name the fields {', '.join(named.fields)}"
        )

    def _outcome(self, value: Any, named: NamedOptions, where: str, field: str) -> dict[str, Any] | None:
        if not isinstance(value, Sequence) or isinstance(value, str):
            outcome = named.outcome(value, where, field)
            self._counts["both_bad"] += outcome is None
            return outcome
        if not value:
            refuse(where, field, "a ranking of one response or more", value)
        return self._counted(named.ranking(value, where, field), len(value))

    def _counted(self, outcome: dict[str, Any], num_ranked: int) -> dict[str, Any] | None:
        if not outcome:
            self._counts["without_best"] += 1
            return None
        self._counts["rankings_cut"] += len(outcome.get("ranking", range(num_ranked))) < num_ranked
        return outcome

    def _rated(
        self,
        answers: Mapping[str, Sequence[_Answer]],
        named: NamedOptions,
        about: Mapping[str, Any],
        where: str,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        scores: dict[str, dict[int, float]] = defaultdict(dict)
        for question, option in (self.ratings or {}).items():
            number = named.number(option, where, f"ratings.{question}")
            for i, answer in enumerate(answers.get(question, ())):
                if not is_number(answer.value):
                    refuse(where, f"{question}{_MARK}[{i}]", "a rating, a number", answer.value)
                scores[answer.user][number] = answer.value
        for user, each in scores.items():
            outcome = self._counted(order_of(each, len(named.fields)), len(each))
            if outcome is not None:
                yield where, {"user": user, **about, **outcome}


@dataclass(frozen=True)
class _Answer:
    """What one annotator answered to one question; no status where the export has none."""

    user: str
    value: Any
    status: str | None


def _nested(row: Mapping[str, Any], where: str) -> tuple[dict[str, Any], dict[str, list[_Answer]]]:
    """Fields and answers of a row as `to_json` writes it."""
    fields, responses = row.get("fields"), row.get("responses") or {}
    if not isinstance(fields, Mapping):
        refuse(where, "fields", "an object", fields)
    if not isinstance(responses, Mapping):
        refuse(where, "responses", "an object of lists, one a question", responses)
    answers = {}
    for question, each in responses.items():
        if not isinstance(each, list) or not all(isinstance(one, Mapping) for one in each):
            refuse(where, f"responses.{question}", "a list of objects with user_id and value", each)
        answers[question] = [
            _Answer(
                person_in(one.get("user_id"), where, f"responses.{question}[{i}].user_id"),
                one.get("value"),
                _status(one.get("status"), where, f"responses.{question}[{i}].status"),
            )
            for i, one in enumerate(each)
        ]
    return dict(fields), answers


def _flat(row: Mapping[str, Any], where: str) -> tuple[dict[str, Any], dict[str, list[_Answer]]]:
    """Fields and answers of a row as `to_datasets` writes it."""
    questions = [name.removesuffix(_MARK) for name in row if name.endswith(_MARK)]
    if not questions:
        raise ChoiceDataError(
            f"{where}: responses is missing, and there is no column QUESTION{_MARK}; the row has "
            f"{', '.join(map(str, row))[:200]}"
        )
    answers = {}
    for question in questions:
        values = row[question + _MARK] or []
        users = row.get(f"{question}{_MARK}.users") or []
        states = row.get(f"{question}{_MARK}.status") or [None] * len(values)
        for name, each in (("", values), (".users", users), (".status", states)):
            if not isinstance(each, list) or len(each) != len(values):
                refuse(where, f"{question}{_MARK}{name}", f"a list of {len(values)}", each)
        answers[question] = [
            _Answer(
                person_in(user, where, f"{question}{_MARK}.users[{i}]"),
                value,
                _status(status, where, f"{question}{_MARK}.status[{i}]"),
            )
            for i, (user, value, status) in enumerate(zip(users, values, states, strict=True))
        ]
    fields = {
        name: value
        for name, value in row.items()
        if name not in _NO_FIELDS
        and value is not None
        and not any(name == question or name.startswith(question + ".") for question in questions)
    }
    return fields, {question: each for question, each in answers.items() if each}


def _status(value: Any, where: str, field: str) -> str | None:
    if value not in (None, "submitted", "draft", "discarded", "pending"):
        refuse(where, field, "submitted, draft, discarded or pending", value)
    return value
