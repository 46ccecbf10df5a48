"""`read_labelled`: probes with the scores that people gave, from a file of the steerable arrangement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fsa.errors import ChoiceDataError
from fsa.features.rendering import plain
from fsa.judge.scores import AttributeScores, Labelled, Probe
from fsa.seeding import stable_hash
from fsa.types import Text, is_number


def read_labelled(path: str | Path) -> list[Labelled]:
    """Labelled probes of a JSON list, or of a file of one JSON object a line.

    Each has `prompt`, `responses` (two or more texts), `labels` (one object of scores from 0 to 1 a
    response, the same attributes throughout the file) and, if wished, `reasonings` (one object of sentences
    a response).

    Raises:
        ChoiceDataError: The file cannot be read, or an entry is not that; names the entry and field.

    Reference:
        [Adams2025] The arrangement of HelpSteer2 and MIC as steerable benchmarks.
    """
    entries = list(_entries(Path(path)))
    if not entries:
        raise ChoiceDataError(f"{path}: must hold at least one labelled probe, came none")
    first = entries[0][1]
    labels = first.get("labels") if isinstance(first, Mapping) else None
    names = tuple(labels[0]) if isinstance(labels, list) and labels and isinstance(labels[0], Mapping) else ()
    return [_labelled(entry, where, names) for where, entry in entries]


def key_of(prompt: Text, responses: Sequence[Text]) -> str:
    """A key for a probe: the same texts give the same key everywhere."""
    texts = [plain(prompt), *map(plain, responses)]
    return f"{stable_hash(json.dumps(texts, ensure_ascii=False)):016x}"


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ChoiceDataError(f"{path}: cannot be read: {error}") from error
    if text.lstrip().startswith("["):
        for i, entry in enumerate(_parsed(text, str(path))):
            yield f"{path}:[{i}]", entry
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", _parsed(line, f"{path}:{number}")


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ChoiceDataError(f"{where}: must be JSON: {error}") from error


def _labelled(entry: Any, where: str, names: tuple[str, ...]) -> Labelled:
    if not isinstance(entry, Mapping):
        raise ChoiceDataError(
            f"{where}: must be an object with prompt, responses and labels, came {entry!r:.80}"
        )
    prompt, responses = entry.get("prompt"), entry.get("responses")
    if not isinstance(prompt, str):
        raise ChoiceDataError(f"{where}: prompt must be a text, came {prompt!r:.80}")
    is_list = isinstance(responses, list) and all(isinstance(each, str) for each in responses)
    if not isinstance(responses, list) or not is_list or len(responses) < 2:
        raise ChoiceDataError(f"{where}: responses must be two texts or more, came {responses!r:.80}")
    labels = _objects(entry, "labels", len(responses), where)
    mean = np.array([[_score(label, name, where) for name in names] for label in labels])
    reasonings = None
    if entry.get("reasonings"):
        said = _objects(entry, "reasonings", len(responses), where)
        reasonings = tuple(tuple(each.get(name) for name in names) for each in said)
    if any(set(label) != set(names) for label in labels) or not names:
        came = sorted({name for label in labels for name in label})
        raise ChoiceDataError(
            f"{where}: labels must be of {', '.join(names) or 'some attribute'}, came {came}"
        )
    scores = AttributeScores(names, mean, reasoning=reasonings)
    return Labelled(Probe(key_of(prompt, responses), prompt, tuple(responses)), scores)


def _objects(entry: Mapping[str, Any], field: str, count: int, where: str) -> list[Mapping[str, Any]]:
    value = entry.get(field)
    if not isinstance(value, list) or len(value) != count or not all(isinstance(v, Mapping) for v in value):
        raise ChoiceDataError(f"{where}: {field} must be {count} objects, one a response, came {value!r:.80}")
    return value


def _score(label: Mapping[str, Any], name: str, where: str) -> float:
    value = label.get(name)
    if not is_number(value) or not 0 <= value <= 1:
        raise ChoiceDataError(f"{where}: labels: {name} must be a number from 0 to 1, came {value!r}")
    return float(value)
