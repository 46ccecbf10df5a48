"""`LabelStudio`: annotators' comparisons and rankings of responses, as Label Studio exports them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from fsa.choices.reading.export import Export, person_in
from fsa.choices.reading.named_options import PROMPTS, NamedOptions, pair_in, prompt_in
from fsa.choices.reading.record import refuse
from fsa.errors import ChoiceDataError

_KINDS = ("pairwise", "ranker", "choices")
_SIDES = ("left", "right")
_TEXTS = ("body", "html", "text", "title")  # of an item of a list; the first that is there


class LabelStudio(Export):
    """One choice an annotation: a task may have several, each by whom `completed_by` names.

    Reads the JSON export (not JSON-MIN, which does not say who chose): of a task `data` and `annotations`, of
    a result `type` and `value`. `pairwise` is a pick of the left or right text; `ranker` orders items of a
    list in `data`; `choices` is a label that names a field, or "tie" or "neither". The export does not hold
    the labelling configuration, so which fields of `data` are the texts is guessed where it is plain
    (text1 and text2, answer_a and answer_b), and said by `options` otherwise.

    In `counts`: `skipped_annotations` (cancelled by the annotator), `unanswered` (annotations without such a
    result), `both_bad` (labels for neither), all left out; and `without_prompt` (kept: the task has
    no field for a prompt).

    Args:
        path: The export.
        question: `from_name` of the results to read; None takes the only result of a kind above.
        prompt: Field of `data` with the prompt; None takes the first of prompt, instruction, question, ...,
            or none at all.
        options: Fields of `data` with the responses, the left one first.
        values: Field that each label means, such as {A: answer1}.
        bucket: Of a ranker with several buckets, the one that is ordered.
        reading: See `RecordSource`.
    """

    needs = ("data", "annotations")
    counted: ClassVar[tuple[str, ...]] = ("skipped_annotations", "unanswered", "both_bad", "without_prompt")

    def __init__(
        self,
        path: str,
        *,
        question: str | None = None,
        prompt: str | None = None,
        options: list[str] | None = None,
        values: dict[str, str] | None = None,
        bucket: str | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(path, revision=None, **reading)
        self.question, self.prompt, self.options = question, prompt, options
        self.values, self.bucket = values, bucket

    def _of_row(self, row: Mapping[str, Any], where: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        data, annotations = row.get("data"), row.get("annotations")
        if not isinstance(data, Mapping):
            refuse(where, "data", "an object", data)
        if not isinstance(annotations, list):
            refuse(where, "annotations", "a list (the export JSON has it, JSON-MIN does not)", annotations)
        for i, annotation in enumerate(annotations):
            field = f"annotations[{i}]"
            if not isinstance(annotation, Mapping):
                refuse(where, field, "an object", annotation)
            if annotation.get("was_cancelled"):
                self._counts["skipped_annotations"] += 1
                continue
            result, place = self._result(annotation.get("result"), where, f"{field}.result")
            if result is None:
                self._counts["unanswered"] += 1
                continue
            said = self._said(result, data, where, place)
            if said is None:
                self._counts["both_bad"] += 1
                continue
            user = _person(annotation.get("completed_by"), where, f"{field}.completed_by")
            yield where, {"user": user, "prompt": self._asked(data, where), **said}

    def _result(self, results: Any, where: str, field: str) -> tuple[Mapping[str, Any] | None, str]:
        """The result that says what was chosen, and its place; None where there is none."""
        if not isinstance(results, list) or not all(isinstance(one, Mapping) for one in results):
            refuse(where, field, "a list of objects", results)
        found = [
            (one, f"{field}[{i}]")
            for i, one in enumerate(results)
            if one.get("type") in _KINDS and self.question in (None, one.get("from_name"))
        ]
        if len(found) > 1:
            names = ", ".join(str(one.get("from_name")) for one, _ in found)
            raise ChoiceDataError(f"{where}: question must be named (--question NAME), one of {names}")
        return found[0] if found else (None, field)

    def _said(
        self, result: Mapping[str, Any], data: Mapping[str, Any], where: str, field: str
    ) -> dict[str, Any] | None:
        """Options and outcome; None for a label that says "neither"."""
        value = result.get("value")
        if not isinstance(value, Mapping):
            refuse(where, f"{field}.value", "an object", value)
        if result["type"] == "ranker":
            return self._ranked(value.get("ranker"), data, where, f"{field}.value.ranker")
        named = NamedOptions(self._options(result, data, where), self.values)
        options = {"options": named.responses}
        if result["type"] == "pairwise":
            selected = value.get("selected")
            if selected not in _SIDES:
                refuse(where, f"{field}.value.selected", '"left" or "right"', selected)
            return {**options, "chosen": _SIDES.index(selected)}
        labels = value.get("choices")
        if not isinstance(labels, list) or len(labels) != 1:
            refuse(where, f"{field}.value.choices", "a list of one label", labels)
        outcome = named.outcome(labels[0], where, f"{field}.value.choices[0]")
        return None if outcome is None else {**options, **outcome}

    def _options(self, result: Mapping[str, Any], data: Mapping[str, Any], where: str) -> dict[str, Any]:
        names = self.options
        if not names:
            tags = [name.strip() for name in str(result.get("to_name", "")).split(",")]
            names = tags if len(tags) > 1 and all(tag in data for tag in tags) else [*pair_in(data, where)]
        if missing := [name for name in names if name not in data]:
            refuse(where, "options", f"fields of data ({', '.join(map(str, data))})", missing[0])
        return {name: data[name] for name in names}

    def _ranked(self, buckets: Any, data: Mapping[str, Any], where: str, field: str) -> dict[str, Any]:
        if isinstance(buckets, list):
            buckets = {"": buckets}
        if not isinstance(buckets, Mapping) or not buckets:
            refuse(where, field, "an object of lists of ids", buckets)
        if self.bucket is None and len(buckets) > 1:
            names = ", ".join(map(str, buckets))
            raise ChoiceDataError(f"{where}: bucket must be named (--bucket NAME), one of {names}")
        name = next(iter(buckets)) if self.bucket is None else self.bucket
        order = buckets.get(name)
        if not isinstance(order, list) or not order:
            refuse(where, f"{field}.{name}", "a list of one id or more, the best first", order)
        items = _items(data, where)
        for i, one in enumerate(order):
            if one not in items:
                refuse(where, f"{field}.{name}[{i}]", f"one of {', '.join(map(str, items))}", one)
        places = {item: place for place, item in enumerate(items)}
        return {"options": list(items.values()), "ranking": [places[one] for one in order]}

    def _asked(self, data: Mapping[str, Any], where: str) -> Any:
        if self.prompt is None and not any(name in data for name in PROMPTS):
            self._counts["without_prompt"] += 1
            return ""
        return data[prompt_in(data, self.prompt, where)]


def _person(value: Any, where: str, field: str) -> str:
    """Who annotated: a number, a name, or an object with id and email."""
    if isinstance(value, Mapping):
        return person_in(value.get("id", value.get("email")), where, f"{field}.id")
    return person_in(value, where, field)


def _items(data: Mapping[str, Any], where: str) -> dict[Any, str]:
    """Text of each item of the only list of items in a task's data, by its id."""
    lists = [
        value
        for value in data.values()
        if isinstance(value, list)
        and value
        and all(isinstance(one, Mapping) and "id" in one for one in value)
    ]
    if len(lists) != 1:
        refuse(where, "data", "an object with one list of items that have an id", sorted(map(str, data)))
    items = {}
    for i, one in enumerate(lists[0]):
        text = next((one[name] for name in _TEXTS if one.get(name)), None)
        if not isinstance(text, str):
            refuse(where, f"items[{i}]", "an item with one of " + ", ".join(_TEXTS), one)
        items[one["id"]] = text
    return items
