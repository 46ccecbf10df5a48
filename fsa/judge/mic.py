"""`read_mic`: the Moral Integrity Corpus as labelled probes, from the `MIC.csv` that its authors give out."""

from __future__ import annotations

import ast
import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from fsa.errors import ChoiceDataError
from fsa.judge.attributes import MORAL_FOUNDATIONS
from fsa.judge.labelled import key_of
from fsa.judge.scores import AttributeScores, Labelled, Probe

COLUMNS = ("Q", "A", "A_agrees", "moral-vector", "rot")
_NAMES = tuple(attribute.name for attribute in MORAL_FOUNDATIONS)
_AGREES = {"0": -1.0, "1": 0.0, "2": 1.0}  # the answer disagrees with the rule, is neutral, agrees
_MOST = 3  # annotations counted of an answer, as published; most have three
_WORDS = {-1.0: "disagrees with", 1.0: "agrees with"}


def read_mic(path: str | Path) -> list[Labelled]:
    """Questions with two or more different answers, labelled with six moral foundations.

    Each row is one annotator's rule of thumb about an answer, the foundations that it rests on, and whether
    the answer agrees with it. An answer's score on a foundation is (3 + agreeing rules - disagreeing rules)
    / 6 over its first three rows: 0.5 is neutral. Questions with a row that does not say whether the answer
    agrees are left out, as published.

    Raises:
        ChoiceDataError: A column is missing, or a value is not what it may be; names line, field and value.

    Reference:
        [Ziems2022] The Moral Integrity Corpus.
        [Adams2025] Its arrangement as a steerable benchmark.
    """
    by_question: dict[str, dict[str, list[_Rule]]] = defaultdict(lambda: defaultdict(list))
    unknown: set[str] = set()
    for question, answer, rule in _rows(Path(path)):
        if rule is None:
            unknown.add(question)
        else:
            by_question[question][answer].append(rule)
    found = [
        _labelled(question, answers)
        for question, answers in by_question.items()
        if len(answers) > 1 and question not in unknown
    ]
    if not found:
        raise ChoiceDataError(f"{path}: must hold a question with two or more rated answers, came none")
    return found


@dataclass(frozen=True)
class _Rule:
    """One annotator's rule of thumb about an answer: foundations [6], and -1, 0 or 1 for agreement."""

    text: str
    foundations: Float[np.ndarray, " a"]
    agreement: float


def _rows(path: Path) -> Iterator[tuple[str, str, _Rule | None]]:
    try:
        stream = path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise ChoiceDataError(f"{path}: cannot be read: {error}") from error
    with stream:
        reader = csv.DictReader(stream)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ChoiceDataError(f"{path}:1: column {missing[0]!r} is missing; needed: {', '.join(COLUMNS)}")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            yield row["Q"], row["A"], _rule(row, where)


def _rule(row: dict[str, str], where: str) -> _Rule | None:
    said = row["A_agrees"].strip().removesuffix(".0")  # a column with gaps is often saved as 2.0
    if said in ("", "nan"):
        return None
    if said not in _AGREES:
        raise ChoiceDataError(f"{where}: A_agrees must be 0, 1, 2 or empty, came {said!r}")
    return _Rule(row["rot"], _foundations(row["moral-vector"], where), _AGREES[said])


def _foundations(text: str, where: str) -> Float[np.ndarray, " a"]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise ChoiceDataError(f"{where}: moral-vector must be a list of six, came {text!r:.80}") from error
    is_list = isinstance(value, list | tuple) and len(value) == len(_NAMES)
    if not is_list or not all(number in (0, 1) for number in value):
        raise ChoiceDataError(f"{where}: moral-vector must be six numbers 0 or 1, came {text!r:.80}")
    return np.array(value, np.float64)


def _labelled(question: str, answers: dict[str, list[_Rule]]) -> Labelled:
    counted = [rules[:_MOST] for rules in answers.values()]
    net = [sum(rule.agreement * rule.foundations for rule in rules) for rules in counted]
    reasoning = tuple(tuple(_reasoning(rules, i) for i in range(len(_NAMES))) for rules in counted)
    labels = AttributeScores(_NAMES, (np.array(net) + _MOST) / (2 * _MOST), reasoning=reasoning)
    return Labelled(Probe(key_of(question, tuple(answers)), question, tuple(answers)), labels)


def _reasoning(rules: Sequence[_Rule], foundation: int) -> str:
    said = [
        f"It {_WORDS[rule.agreement]} this rule of {_NAMES[foundation]}: {rule.text.strip().rstrip('.')}."
        for rule in rules
        if rule.agreement and rule.foundations[foundation]
    ]
    return " ".join(said) or f"It is neutral about {_NAMES[foundation]}."
