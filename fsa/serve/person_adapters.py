"""`PersonAdapters`: the adapter folders of people, each folded when it is first asked for."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fsa.errors import ConfigError, FsaError
from fsa.outputs.policy import Policy, PolicyPerson
from fsa.paths import cache_dir
from fsa.serve.in_process import MODEL, PEOPLE, TENANT, without_traces
from fsa.serve.people import Asked, People
from fsa.serve.people_file import open_people

ADAPTERS = "FSA_ADAPTERS"
"""Environment variable: folder for adapters; without it one in `cache_dir()`."""

_KEPT = 1000  # beliefs in memory


@dataclass(frozen=True)
class _Folded:
    """Whose adapter is where, and what it was folded from."""

    revision: str
    folder: Path


class PersonAdapters:
    """A person's adapter is a function of their choices: folded when it is asked for, and dropped when they
    change or are erased. One at a time is folded, whatever thread asks.

    Args:
        model: Run folder or hub id of a policy; None takes FSA_MODEL.
        people: JSONL file of people's choices, or address of a server's database; None takes FSA_PEOPLE.
        tenant: Whose people, in a database with several; None takes FSA_TENANT, or the first.
        folder: Where adapters are kept, under names that say nothing of a person; None takes FSA_ADAPTERS.

    Raises:
        ConfigError: No model or no people are named.
    """

    def __init__(
        self,
        model: str | None = None,
        people: str | None = None,
        tenant: str | None = None,
        folder: str | Path | None = None,
    ) -> None:
        self._model, self._where = _named(model, MODEL), _named(people, PEOPLE)
        self._tenant = tenant or os.environ.get(TENANT) or "default"
        self._folder = Path(folder or os.environ.get(ADAPTERS) or cache_dir() / "adapters").absolute()
        self._people: People | None = None
        self._folded: dict[str, _Folded] = {}
        self._lock = threading.Lock()

    def folder_of(self, name: str) -> Path | None:
        """Folder of a person's adapter, folded now where it is not there; None if no person has this name.

        Raises:
            CheckpointError: The model is no policy, or cannot be opened.
            ConfigError: Its conditioning cannot be folded.
            ChoiceDataError: The file of people cannot be read.
        """
        with self._lock:
            revision = self._opened().store.revisions({(self._tenant, name)}).get((self._tenant, name))
            if revision is None:
                self._drop(name)
                return None
            held = self._folded.get(name)
            if held is not None and held.revision == revision and held.folder.is_dir():
                return held.folder
            self._drop(name)
            return self._fold(name, revision)

    def stale(self) -> list[str]:
        """Names whose adapter is no longer theirs: their choices changed, or they were erased. It is deleted.

        Raises:
            ChoiceDataError: The file of people cannot be read.
        """
        with self._lock:
            people = {(self._tenant, name) for name in self._folded}
            now = self._opened().store.revisions(people) if people else {}
            gone = [
                name for name, held in self._folded.items() if now.get((self._tenant, name)) != held.revision
            ]
            for name in gone:
                self._drop(name)
            return gone

    def _fold(self, name: str, revision: str) -> Path:
        [person] = self._opened().of([Asked(self._tenant, name)])
        if isinstance(person, FsaError):
            raise person
        assert isinstance(person, PolicyPerson), "a policy reads no other"
        about = "\0".join([self._model, self._tenant, name, revision]).encode("utf-8", "surrogatepass")
        folder = self._folder / hashlib.sha256(about).hexdigest()
        person.save_adapter(folder)
        self._folded[name] = _Folded(revision, folder)
        return folder

    def _drop(self, name: str) -> None:
        held = self._folded.pop(name, None)
        if held is not None:
            shutil.rmtree(held.folder, ignore_errors=True)
            self._opened().forget((self._tenant, name))

    def _opened(self) -> People:
        if self._people is None:
            policy = without_traces(Policy.from_pretrained(self._model))
            self._people = People(policy, open_people(self._where), _KEPT)
        return self._people


class Watch:
    """Tells an engine, now and then, whose adapters it has to forget.

    Args:
        adapters: What it was given.
        unload: Makes the engine forget a name, or raises `OSError`; it is tried again the next time.
        seconds: Between two looks, > 0.
    """

    def __init__(self, adapters: PersonAdapters, unload: Callable[[str], None], seconds: float) -> None:
        self._adapters, self._unload, self._seconds = adapters, unload, seconds
        self._left: list[str] = []  # names that the engine did not yet forget
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process; once started, nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="fsa-adapters", daemon=True)
            self._thread.start()

    def look(self) -> list[str]:
        """Look once; names that the engine forgot."""
        waiting = dict.fromkeys([*self._left, *self._adapters.stale()])
        self._left = []
        done = []
        for name in waiting:
            try:
                self._unload(name)
                done.append(name)
            except OSError:
                self._left.append(name)
        return done

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._seconds):
            try:
                self.look()
            except FsaError:
                continue  # the file is being written: the next look reads it


def _named(said: str | None, variable: str) -> str:
    found = said or os.environ.get(variable)
    if not found:
        raise ConfigError(f"{variable} must be set in the environment")
    return found
