"""`fsa score`: rewards of candidate responses for people of whom a few choices are known."""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fsa.choices.jsonl import Jsonl
from fsa.choices.reading.plain import are_plain
from fsa.choices.reading.record import refuse, shown
from fsa.choices.table import ChoiceTable
from fsa.cli.lines import as_lines, choices_of_each, written_lines
from fsa.errors import ChoiceDataError
from fsa.files import Results
from fsa.outputs.api_inputs import as_prompt, as_response
from fsa.outputs.history import History
from fsa.outputs.reward_model import Person, RewardModel, Scores
from fsa.types import is_numbers

_BATCH = 512  # people scored at once
_LARGE = 10_000_000  # bytes of choices whose table is kept


def score(
    model: str,
    choices: str,
    candidates: str,
    out: str | None = None,
    on_bad_record: Literal["stop", "skip"] = "stop",
    trust_remote_code: bool = False,
) -> None:
    """Score candidate responses for one or many people.

    Args:
        model: Run folder or hub id of a reward model.
        choices: JSONL file of the people's choices; three to ten a person go a long way.
        candidates: JSONL file of one candidate a line: `prompt`, `response`, `user` if there are many
            people, and any other field, which is echoed.
        out: JSONL file to write; the screen if not given. Each line is its candidate with `reward` (nats),
            `stderr`, `low` and `high` (standard deviation and middle 90 %, nats; null for a point belief) and
            `rank` (1 = best of this user and prompt).
        on_bad_record: What to do with a bad line: `stop`, or `skip` it, counted and listed.
        trust_remote_code: Run parts of the model that are not fsa's own.
    """
    results = Results(out)
    rewards = RewardModel.from_pretrained(model, trust_remote_code=trust_remote_code)
    # A handful of choices is read faster than it is looked up, and leaves no file in the user's cache.
    is_large = Path(choices).is_file() and Path(choices).stat().st_size > _LARGE
    table = Jsonl(choices, on_bad_record=on_bad_record, cache=is_large).load()
    lines = read_candidates(candidates, table, skip_bad=on_bad_record == "skip")
    users = list(dict.fromkeys(line["user"] for line in lines))
    choices_of = choices_of_each(table, users, "candidates have no choices and are scored")
    read = rewards.read([History(tuple(choices)) for choices in choices_of])  # a source has checked them
    people = dict(zip(users, read, strict=True))
    results.write(as_lines(_answers(rewards, people, lines)))


def read_candidates(path: str, table: ChoiceTable, *, skip_bad: bool) -> list[dict[str, Any]]:
    """Candidates of a file, each with its user.

    Raises:
        ChoiceDataError: A line is no candidate, or does not say which of several people it is for.
    """
    bad: list[str] = []

    def on_bad(error: ChoiceDataError) -> None:
        if not skip_bad:
            raise error
        bad.append(str(error))

    read = written_lines(path, "candidate", "an object with prompt and response", on_bad)
    are_texts = are_plain([raw.get(name) for _, raw in read for name in ("prompt", "response")])
    lines = []
    for where, raw in read:
        try:
            if not are_texts:
                _check_item(raw, where)
            lines.append(_with_user(raw, where, table))
        except ChoiceDataError as error:
            on_bad(error)
    if bad:
        warnings.warn(f"left out {len(bad)} bad candidates:\n  " + "\n  ".join(bad[:20]), stacklevel=2)
    if not lines:
        raise ChoiceDataError(f"{path}:1: must hold at least one candidate, came none")
    return lines


def _check_item(raw: dict[str, Any], where: str) -> None:
    """Refuse a candidate without a response, or with what no model reads."""
    if "response" not in raw:
        raise ChoiceDataError(f"{where}: response is missing; the candidate has {shown(', '.join(raw))}")
    response = as_response(raw["response"], where)
    if "prompt" not in raw and not is_numbers(response):
        raise ChoiceDataError(f"{where}: prompt is missing; the candidate has {shown(', '.join(raw))}")
    as_prompt(raw.get("prompt", ""), where)


def _with_user(raw: dict[str, Any], where: str, table: ChoiceTable) -> dict[str, Any]:
    if "user" in raw:
        if not isinstance(raw["user"], str):
            refuse(where, "user", "a text", raw["user"])
        return raw
    if len(table.users) != 1:
        raise ChoiceDataError(f"{where}: user is missing; the choices are those of {len(table.users)} users")
    return {**raw, "user": table.users[0].as_py()}


def _answers(
    rewards: RewardModel, people: dict[str, Person], lines: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Each candidate with its scores, in the order they came."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, line in enumerate(lines):
        groups[line["user"], json.dumps(line.get("prompt", ""), sort_keys=True)].append(i)
    keys = list(groups)
    answers: dict[int, dict[str, Any]] = {}
    for start in range(0, len(keys), _BATCH):
        part = keys[start : start + _BATCH]
        scored = rewards.score_batch(
            [people[user] for user, _ in part],
            [lines[groups[key][0]].get("prompt", "") for key in part],
            [[lines[i]["response"] for i in groups[key]] for key in part],
        )
        for key, scores in zip(part, scored, strict=True):
            answers.update(zip(groups[key], _ranked([lines[i] for i in groups[key]], scores), strict=True))
    return [answers[i] for i in range(len(lines))]


def _ranked(lines: list[dict[str, Any]], scores: Scores) -> list[dict[str, Any]]:
    # Equal rewards share the better rank.
    rank = 1 + (scores.reward[None, :] > scores.reward[:, None]).sum(1)
    doubts: dict[str, Any] = {"stderr": scores.stderr, "low": scores.low, "high": scores.high}
    columns = {
        name: [None] * len(lines) if doubt is None else np.asarray(doubt).tolist()
        for name, doubt in doubts.items()
    }
    return [
        {
            **line,
            "reward": float(scores.reward[i]),
            **{name: column[i] for name, column in columns.items()},
            "rank": int(rank[i]),
        }
        for i, line in enumerate(lines)
    ]
