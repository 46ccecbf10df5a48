"""`fsa generate`: answers to prompts for people of whom a few choices are known."""

from __future__ import annotations

from typing import Any, Literal

from fsa.choices.jsonl import Jsonl
from fsa.choices.reading.record import refuse, shown
from fsa.choices.table import ChoiceTable
from fsa.cli.lines import as_lines, choices_of_each, written_lines
from fsa.devices import torch_device
from fsa.errors import ChoiceDataError
from fsa.files import Results
from fsa.outputs.api_inputs import as_prompt
from fsa.outputs.policy import Generation, Policy


def generate(
    model: str,
    choices: str,
    prompts: str,
    out: str | None = None,
    strength: float = 1.0,
    on_bad_record: Literal["stop", "skip"] = "stop",
    trust_remote_code: bool = False,
    **generation: Any,
) -> None:
    """Answer prompts, each as its person would want it.

    Args:
        model: Run folder or hub id of a policy.
        choices: JSONL file of the people's choices; three to ten a person go a long way.
        prompts: JSONL file of one prompt a line: `prompt`, `user` if there are many people, and any other
            field, which is echoed.
        out: JSONL file to write; the screen if not given. Each line is its prompt's with `response`.
        strength: How far from the reference, as a multiple of what was trained; larger costs more.
        on_bad_record: What to do with a bad line of choices: `stop`, or `skip` it, counted and listed.
        trust_remote_code: Run parts of the model that are not fsa's own.
        generation: See `Generation`.
    """
    how = Generation(**generation)
    results = Results(out)
    table = Jsonl(choices, on_bad_record=on_bad_record).load()
    lines = read_prompts(prompts, table)
    policy = Policy.from_pretrained(model, trust_remote_code=trust_remote_code)
    policy.to(torch_device())
    if strength != 1:
        policy.strengthen(strength)
    users = list(dict.fromkeys(line["user"] for line in lines))
    known = policy.for_users(choices_of_each(table, users, "prompts have no choices and are answered"))
    people = dict(zip(users, known, strict=True))
    options = {name: value for name, value in vars(how).items() if how.do_sample or name != "temperature"}
    answers = policy.generate(
        [people[line["user"]] for line in lines],
        [line["prompt"] for line in lines],
        progress=out is not None,
        **options,
    )
    results.write(as_lines({**line, "response": answer} for line, answer in zip(lines, answers, strict=True)))


def read_prompts(path: str, table: ChoiceTable) -> list[dict[str, Any]]:
    """Prompts of a file, each with its user.

    Raises:
        ChoiceDataError: A line is no prompt, or does not say which of several people it is for.
    """
    lines = []
    for where, raw in written_lines(path, "line", "an object with prompt"):
        if "prompt" not in raw:
            raise ChoiceDataError(f"{where}: prompt is missing; the line has {shown(', '.join(raw))}")
        as_prompt(raw["prompt"], where)
        if not isinstance(raw.get("user", ""), str):
            refuse(where, "user", "a text", raw["user"])
        if "user" not in raw and len(table.users) != 1:
            raise ChoiceDataError(
                f"{where}: user is missing; the choices are those of {len(table.users)} users"
            )
        lines.append({**raw, "user": raw.get("user", table.users[0].as_py())})
    if not lines:
        raise ChoiceDataError(f"{path}:1: must hold at least one prompt, came none")
    return lines
