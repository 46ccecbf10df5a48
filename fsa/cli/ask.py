"""`fsa ask`: asks a person in the terminal what says most about them, and writes their choices down."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fsa.choices.jsonl import Jsonl
from fsa.choices.reading.json_lines import json_lines, stop
from fsa.choices.reading.record import refuse, shown
from fsa.cli.lines import as_lines, check_writable
from fsa.errors import ChoiceDataError, OutputError
from fsa.outputs.api_inputs import as_prompt, as_response
from fsa.outputs.person import Person
from fsa.outputs.reward_model import RewardModel
from fsa.questions.question import Question, name_of, pair_name
from fsa.settings import Range
from fsa.types import Choice, Numbers, Pick, Text

_SHOWN = 5  # responses of a ranking
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def ask(
    model: str,
    candidates: str,
    choices: str = "choices.jsonl",
    user: str = "person",
    questions: int = 10,
    trust_remote_code: bool = False,
) -> None:
    """Ask in the terminal which of two responses a person prefers, each time the pair that says most.

    Each answer is written down before the next question; q, Ctrl-C or Ctrl-D end it and lose none.

    Args:
        model: Run folder or hub id of a reward model.
        candidates: JSONL file of one candidate a line, `prompt` and `response`; those of one prompt are
            compared.
        choices: JSONL file that choices are added to. Those of this user that it holds are known already.
        user: Who is asked.
        questions: Most questions to ask.
        trust_remote_code: Run parts of the model that are not fsa's own.
    """
    Range(at_least=1).check("questions", questions)
    responses = read_responses(candidates)
    _touch(choices)
    rewards = RewardModel.from_pretrained(model, trust_remote_code=trust_remote_code)
    person = rewards.for_user(_known(choices, user))
    asked = 0
    try:
        for asked in range(questions):
            answered = _one(person, responses, f"Question {asked + 1} of at most {questions}")
            if answered is None:
                break
            choice, question = answered
            _write(choices, choice, user)
            person = _moved(person, choice, question, responses)
            asked += 1
    finally:
        print(f"\n{asked} answers written to {choices}", flush=True)


Responses = dict[Any, tuple[Text, list[Text | Numbers]]]
"""Prompt and responses, by prompt."""


def read_responses(path: str) -> Responses:
    """Responses of a file by prompt, each once.

    Raises:
        ChoiceDataError: A line is no candidate, or a prompt has a single response.
    """
    found: Responses = {}
    for where, raw in json_lines(path, stop):
        if not isinstance(raw, dict):
            refuse(where, "candidate", "an object with prompt and response", raw)
        check_writable(raw, where)
        if "response" not in raw:
            raise ChoiceDataError(f"{where}: response is missing; the candidate has {shown(', '.join(raw))}")
        prompt, response = as_prompt(raw.get("prompt", ""), where), as_response(raw["response"], where)
        _, responses = found.setdefault(name_of(prompt), (prompt, []))
        if response not in responses:
            responses.append(response)
    alone = next((prompt for prompt, responses in found.values() if len(responses) < 2), None)
    if alone is not None or not found:
        raise ChoiceDataError(f"{path}: a prompt needs two different responses; {shown(alone)} has one")
    return found


def _one(person: Person, responses: Responses, title: str) -> tuple[Choice, Question] | None:
    """The answer to the best question that was not answered yet; None at the end."""
    answered = {pair_name(choice.prompt, *choice.options) for choice in person.history.choices}  # type: ignore[union-attr]
    pairs = [pair for pair in _pairs(responses) if pair_name(*pair) not in answered]
    if not pairs:
        print("Nothing is left to ask.")
        return None
    question = person.next_question(pairs)
    print(f"\n{title}\n{_plain(question.prompt)}\n")
    for number, option in enumerate(question.options, 1):
        print(f"  {number}) {_plain(option)}")
    while True:
        try:
            said = input("Which do you prefer? [1, 2, q] ").strip().lower()
        except EOFError:
            return None
        if said in ("1", "2"):
            options: Any = question.options
            return Choice("person", question.prompt, options, Pick(int(said) - 1)), question
        if said == "q":
            return None


def _moved(person: Person, choice: Choice, question: Question, responses: Responses) -> Person:
    """The person after an answer; shows what it moved."""
    after = person.update(choice)
    prompt, offered = responses[name_of(question.prompt)]
    chosen = choice.outcome.places(2).index(0)
    pair = (choice.options[chosen], choice.options[1 - chosen])
    chances = [one.prefers(prompt, *pair) for one in (person, after)]
    print(f"Belief: this answer had a probability of {chances[0]:.0%}, now {chances[1]:.0%}.")
    old, new = (one.score(prompt, offered) for one in (person, after))
    before = {int(place): rank for rank, place in enumerate((-old.reward).argsort(kind="stable"), 1)}
    print("Ranking:")
    for rank, place in enumerate((-new.reward).argsort(kind="stable")[:_SHOWN], 1):
        was = before[int(place)]
        moved = "" if was == rank else f"  (was {was})"
        print(f"  {rank}. {new.reward[place]:+.2f} nats  {_plain(offered[place])[:70]}{moved}")
    return after


def _pairs(responses: Responses) -> Iterator[tuple[Text, Any, Any]]:
    for prompt, offered in responses.values():
        for i, first in enumerate(offered):
            for second in offered[i + 1 :]:
                yield prompt, first, second


def _plain(text: Text | Numbers) -> str:
    """What is shown of a text: no control characters, which a terminal would obey."""
    if not isinstance(text, str):
        parts: Sequence[Any] = text
        text = "\n".join(str(part["content"] if isinstance(part, dict) else part) for part in parts)
    return _CONTROL.sub(" ", text)


def _known(path: str, user: str) -> list[Choice]:
    """Choices that the file holds of one person."""
    if not Path(path).stat().st_size:
        return []
    table = Jsonl(path, cache=False).load()
    return [table.choice(row) for row in table.rows_of(user)]


def _touch(path: str) -> None:
    """Find out before the first question whether answers can be written."""
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _write(path: str, choice: Choice, user: str) -> None:
    """Add one choice, on the disk when this returns."""
    options = [json.loads(json.dumps(option)) for option in choice.options]
    record = {"user": user, "prompt": choice.prompt, "options": options}
    line = as_lines([{**record, "chosen": choice.outcome.places(2).index(0)}])
    try:
        with open(path, "ab+") as file:
            file.seek(0, os.SEEK_END)
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else "\n" + line
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
