"""`fsa adapter`: plain LoRA adapters of people of whom a few choices are known."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import track

from fsa.choices.jsonl import Jsonl
from fsa.outputs.adapters import WEIGHTS
from fsa.outputs.policy import Policy

_BATCH = 256  # people read at once
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def adapter(
    model: str,
    choices: str,
    out: str,
    on_bad_record: Literal["stop", "skip"] = "stop",
    trust_remote_code: bool = False,
) -> None:
    """Write the LoRA adapter of one person, or of thousands: a folder that peft and vLLM open.

    Where there are many users each gets a folder of OUT under their name. What is there already is kept, so
    that a call which was cut off goes on where it was.

    Args:
        model: Run folder or hub id of a policy.
        choices: JSONL file of the people's choices; three to ten a person go a long way.
        out: Folder to write.
        on_bad_record: What to do with a bad line: `stop`, or `skip` it, counted and listed.
        trust_remote_code: Run parts of the model that are not fsa's own.
    """
    policy = Policy.from_pretrained(model, trust_remote_code=trust_remote_code)
    table = Jsonl(choices, on_bad_record=on_bad_record).load()
    users = [user.as_py() for user in table.users]
    folders = {user: Path(out) if len(users) == 1 else Path(out) / folder_name(user) for user in users}
    missing = [user for user in users if not (folders[user] / WEIGHTS).exists()]
    console = Console(stderr=True)
    for start in track(range(0, len(missing), _BATCH), "Adapters", console=console, disable=len(missing) < 2):
        part = missing[start : start + _BATCH]
        people = policy.for_users([[table.choice(row) for row in table.rows_of(user)] for user in part])
        for user, person in zip(part, people, strict=True):
            person.save_adapter(folders[user])
    kept = len(users) - len(missing)
    console.print(f"{out}: {len(missing):,} adapters written" + (f", {kept:,} were there" if kept else ""))


def folder_name(user: str) -> str:
    """A user's name where any file system takes it, else one made of it; never two users' the same."""
    if _PLAIN.fullmatch(user):
        return user
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", user).strip("-.")[:60]
    return f"{readable or 'user'}~{hashlib.sha256(user.encode()).hexdigest()[:16]}"
