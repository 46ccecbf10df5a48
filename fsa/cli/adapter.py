"""`fsa adapter`: plain LoRA adapters of people of whom a few choices are known."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import track

from fsa.choices.jsonl import Jsonl
from fsa.errors import ConfigError
from fsa.outputs.adapters import ABOUT, CONFIG, WEIGHTS, saved_adapter
from fsa.outputs.policy import Policy
from fsa.runs.folder import CONFIG_JSON, PROJECTION
from fsa.runs.folder import WEIGHTS as MODEL

_BATCH = 256  # people read at once
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{i}" for name in ("com", "lpt") for i in range(10))}


def adapter(
    model: str,
    choices: str,
    out: str,
    strength: float = 1.0,
    on_bad_record: Literal["stop", "skip"] = "stop",
    trust_remote_code: bool = False,
) -> None:
    """Write the LoRA adapter of one person, or of thousands: a folder that peft and vLLM open.

    Where there are many users each gets a folder of OUT under their name. An adapter that is there is kept
    if it is of the same model, person and choices, so that a call which was cut off goes on where it was; it
    is written anew if the model or the choices are others, and never put in the place of another person's.

    Args:
        model: Run folder or hub id of a policy.
        choices: JSONL file of the people's choices; three to ten a person go a long way.
        out: Folder to write.
        strength: How far from the reference, as a multiple of what was trained; larger costs more.
        on_bad_record: What to do with a bad line: `stop`, or `skip` it, counted and listed.
        trust_remote_code: Run parts of the model that are not fsa's own.
    """
    policy = Policy.from_pretrained(model, trust_remote_code=trust_remote_code)
    if strength != 1:
        policy.strengthen(strength)
    table = Jsonl(choices, on_bad_record=on_bad_record).load()
    users = [user.as_py() for user in table.users]
    folders = {user: Path(out) if len(users) == 1 else Path(out) / folder_name(user) for user in users}
    of_each = {user: table.choices_of(user) for user in users}
    model_hash = _hash_of(policy, strength)
    about = {
        user: {"user": user, "model": model_hash, "choices": _digest(repr(of_each[user]).encode())}
        for user in users
    }
    missing = [user for user in users if not _is_there(folders[user], about[user])]
    console = Console(stderr=True)
    for start in track(range(0, len(missing), _BATCH), "Adapters", console=console, disable=len(missing) < 2):
        part = missing[start : start + _BATCH]
        people = policy.for_users([of_each[user] for user in part])
        for user, person in zip(part, people, strict=True):
            person.save_adapter(folders[user], about[user])
    kept = len(users) - len(missing)
    there = f", {kept:,} were there" if kept else ""
    console.print(f"{out}: {len(missing):,} adapters written{there}", soft_wrap=True)


def _is_there(folder: Path, about: dict[str, str]) -> bool:
    """Whether a person's adapter is in a folder, of the same model and choices.

    Raises:
        ConfigError: The folder holds another person's adapter, or one of unknown origin.
    """
    if not any((folder / name).exists() for name in (WEIGHTS, CONFIG, ABOUT)):
        return False
    found = saved_adapter(folder)
    if found is None and (folder / ABOUT).exists():
        return False  # damaged, or cut off while it was written anew
    if (found or {}).get("user") != about["user"]:
        whose = (
            f"the adapter of {found['user']!r}"
            if found and "user" in found
            else "an adapter of unknown origin"
        )
        raise ConfigError(f"{folder} holds {whose}, not of {about['user']!r}; choose another folder (--out)")
    return all(found.get(name) == value for name, value in about.items()) if found else False


def _hash_of(policy: Policy, strength: float) -> str:
    assert policy.origin is not None, "a policy that was opened has a folder"
    files = [policy.origin / name for name in (CONFIG_JSON, MODEL, PROJECTION)]
    scaled = b"" if strength == 1 else repr(strength).encode()
    return _digest(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files) + scaled)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def folder_name(user: str) -> str:
    """A user's name where any file system takes it, else one made of it; never two users' the same."""
    # One in lower case alone: to some file systems Ann and ann are one name, and so are con and con.txt.
    if _PLAIN.fullmatch(user) and user.partition(".")[0] not in _DEVICES and not user.endswith("."):
        return user
    readable = re.sub(r"[^a-z0-9._-]+", "-", user.lower()).strip("-.")[:60]
    return f"{readable or 'user'}~{hashlib.sha256(user.encode()).hexdigest()[:16]}"
