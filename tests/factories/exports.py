"""Exports of other tools in the layout that they document, of twelve people who each choose four times."""

import csv
import json
from pathlib import Path
from typing import Any

from tests.factories.reward_models import text

PEOPLE, EACH = 12, 4


def pair(person: int, i: int) -> tuple[str, str, str]:
    """A prompt that people share, and two replies to it."""
    return text(i, 4), text(100 + i, 5), text(200 + 10 * person + i, 6)


def argilla_nested() -> list[dict[str, Any]]:
    """`dataset.records.to_json`: a record a person and prompt, answered by a ranking question."""
    rows = []
    for person in range(PEOPLE):
        for i in range(EACH):
            prompt, a, b = pair(person, i)
            order = ["response-1", "response-2"][:: 1 if (person + i) % 2 else -1]
            rows.append(
                {
                    "id": f"{person}-{i}",
                    "fields": {"prompt": prompt, "response_1": a, "response_2": b},
                    "metadata": {},
                    "suggestions": {"best": {"value": order, "score": None, "agent": "m"}},
                    "responses": {
                        "best": [{"value": order, "user_id": f"user-{person}"}],
                        "why": [{"value": "It is shorter.", "user_id": f"user-{person}"}],
                    },
                    "vectors": {},
                    "status": "completed",
                    "_server_id": f"s{person}-{i}",
                }
            )
    return rows


def argilla_flat() -> list[dict[str, Any]]:
    """`dataset.records.to_list(flatten=True)` of the same."""
    rows = []
    for row in argilla_nested():
        [answer] = row["responses"]["best"]
        rows.append(
            {
                "id": row["id"],
                "status": row["status"],
                "_server_id": row["_server_id"],
                **row["fields"],
                "best.responses": [answer["value"]],
                "best.responses.users": [answer["user_id"]],
                "best.responses.status": ["submitted"],
                "best.suggestion": answer["value"],
                "best.suggestion.score": None,
                "best.suggestion.agent": "m",
            }
        )
    return rows


def label_studio() -> list[dict[str, Any]]:
    """The JSON export of the template for pairwise comparison, with a prompt."""
    rows = []
    for person in range(PEOPLE):
        for i in range(EACH):
            prompt, a, b = pair(person, i)
            side = "left" if (person + i) % 2 else "right"
            result = {
                "id": "x",
                "from_name": "pw",
                "to_name": "text1,text2",
                "type": "pairwise",
                "value": {"selected": side},
            }
            rows.append(
                {
                    "id": 100 * person + i,
                    "data": {"prompt": prompt, "text1": a, "text2": b},
                    "annotations": [
                        {"id": 7, "completed_by": person, "was_cancelled": False, "result": [result]}
                    ],
                    "predictions": [],
                }
            )
    return rows


def arena() -> list[dict[str, Any]]:
    """The 33k collection."""
    rows = []
    for person in range(PEOPLE):
        for i in range(EACH):
            prompt, a, b = pair(person, i)
            rows.append(
                {
                    "question_id": f"{person}-{i}",
                    "model_a": "one",
                    "model_b": "other",
                    "winner": "model_a" if (person + i) % 2 else "model_b",
                    "judge": f"arena_user_{person}",
                    "conversation_a": chat(prompt, a),
                    "conversation_b": chat(prompt, b),
                    "turn": 1,
                    "language": "English",
                    "tstamp": 1.0,
                }
            )
    return rows


def personal_reward_bench() -> list[dict[str, Any]]:
    """As on the hub, with some of the columns that nobody reads."""
    rows = []
    for person in range(PEOPLE):
        for i in range(EACH):
            prompt, a, b = pair(person, i)
            chosen, rejected = (a, b) if (person + i) % 2 else (b, a)
            rows.append(
                {
                    "user_id": f"user{person}",
                    "split": ("train", "train", "val", "test")[i],
                    "context": [{"role": "user", "content": prompt}],
                    "chosen": {"role": "model", "content": chosen},
                    "rejected": {"role": "model", "content": rejected},
                    "chosen_score": 1.0,
                    "personalizable_query": True,
                }
            )
    return rows


def community_alignment() -> list[dict[str, Any]]:
    """Conversations of two turns among four replies each."""
    rows = []
    for person in range(PEOPLE):
        for i in range(EACH):
            row = {"conversation_id": f"{person}-{i}", "annotator_id": str(person), "assigned_lang": "en"}
            for number, turn in enumerate(("first", "second", "third", "fourth")):
                is_there = number < 2
                row |= {f"{turn}_turn_prompt": text(10 * i + number, 4) if is_there else ""}
                for k, letter in enumerate("abcd"):
                    row[f"{turn}_turn_response_{letter}"] = (
                        text(1000 + 100 * i + 10 * number + k) if is_there else ""
                    )
                row[f"{turn}_turn_preferred_response"] = (
                    f"response_{'abcd'[(person + i) % 4]}" if is_there else ""
                )
            rows.append(row)
    return rows


def chat(*contents: str) -> list[dict[str, str]]:
    """Turns of the user and the assistant."""
    return [{"role": ("user", "assistant")[i % 2], "content": said} for i, said in enumerate(contents)]


def write_json(path: Path, rows: list[Any]) -> str:
    """One JSON list, as these tools write it."""
    path.write_text(json.dumps(rows))
    return str(path)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> str:
    """With the names of the columns in the first line."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def write_lines(path: Path, rows: list[Any]) -> str:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


EXPORTS = {
    "argilla": lambda folder: write_json(folder / "argilla.json", argilla_nested()),
    "label-studio": lambda folder: write_json(folder / "studio.json", label_studio()),
    "arena": lambda folder: write_lines(folder / "arena.jsonl", arena()),
    "personal-reward-bench": lambda folder: write_lines(folder / "bench.jsonl", personal_reward_bench()),
    "community-alignment": lambda folder: write_csv(folder / "community.csv", community_alignment()),
}
"""How to write a small export of each tool, by the name that `fsa import --from` has for it."""
