"""`InProcess`: people's rewards inside another program, such as a trainer; opened when first needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from fsa.errors import ConfigError
from fsa.outputs.loading import load
from fsa.outputs.reward_model import RewardModel
from fsa.serve.people import People
from fsa.serve.people_file import open_people
from fsa.serve.problems import NotFound
from fsa.serve.scoring import Scored, ToScore, score_all

if TYPE_CHECKING:
    from fsa.serve.store.people import Who

MODEL, PEOPLE, TENANT, DEVICE = "FSA_MODEL", "FSA_PEOPLE", "FSA_TENANT", "FSA_DEVICE"
"""Environment variables: run folder or hub id; JSONL file or database; whose people; such as cuda:0."""

_KEPT = 10_000  # beliefs in memory
_Model = TypeVar("_Model", bound=RewardModel)


class InProcess:
    """Rewards for people, from a model that is opened at first use.

    Any number of threads may ask; one at a time is answered. Pickled it is its settings, so that a spawned
    process opens the model anew.

    Args:
        model: Run folder or hub id; None takes FSA_MODEL.
        people: JSONL file of people's choices, or address of a server's database; None takes FSA_PEOPLE, and
            without that no person is known by name.
        tenant: Whose people, in a database with several; None takes FSA_TENANT, or the first.
        device: Where the model computes; None takes FSA_DEVICE, or the CPU.
    """

    def __init__(
        self,
        model: str | None = None,
        people: str | None = None,
        tenant: str | None = None,
        device: str | None = None,
    ) -> None:
        self._settings = {MODEL: model, PEOPLE: people, TENANT: tenant, DEVICE: device}
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._people: People | None = None

    def __getstate__(self) -> dict[str, str | None]:
        return dict(self._settings)

    def __setstate__(self, settings: dict[str, str | None]) -> None:
        self._settings = dict(settings)
        self._begin()

    @property
    def tenant(self) -> str:
        """Whose people are asked for."""
        return self._setting(TENANT) or "default"

    def score(self, items: Sequence[ToScore]) -> list[Scored | Exception]:
        """Scores of every item, in one batch where that is possible; what is wrong with one is its answer.

        Raises:
            ConfigError: No model is named.
            CheckpointError: The model cannot be opened.
            ChoiceDataError: The file of people cannot be read.
        """
        with self._lock:
            return score_all(self._opened(), items) if items else []

    def score_with_known(self, items: Sequence[ToScore]) -> list[tuple[Scored | Exception, bool]]:
        """The same, and whether each person is known; others are scored as an unknown person."""
        answers = self.score(items)
        missing = [i for i, answer in enumerate(answers) if isinstance(answer, NotFound)]
        strangers = [replace(items[i], asked=replace(items[i].asked, user=None)) for i in missing]
        for i, answer in zip(missing, self.score(strangers), strict=True):
            answers[i] = answer
        return [(answer, i not in missing) for i, answer in enumerate(answers)]

    def _opened(self) -> People:
        if self._people is None:
            model = without_traces(load(self._needed(MODEL)))
            if device := self._setting(DEVICE):
                model.to(device)
            where = self._setting(PEOPLE)
            self._people = People(model, open_people(where) if where else _NoPeople(), _KEPT)
        return self._people

    def _needed(self, name: str) -> str:
        said = self._setting(name)
        if not said:
            raise ConfigError(f"{name} must name a run folder or hub id, in the environment; it is not set")
        return said

    def _setting(self, name: str) -> str | None:
        said = self._settings[name]
        return os.environ.get(name) if said is None else said


class _NoPeople:
    """Where there is no file of people: all of them are unknown."""

    def revisions(self, people: Collection[Who]) -> dict[Who, str]:
        return {}

    def records(self, people: Collection[Who]) -> dict[Who, list[dict[str, Any]]]:
        return {}


def without_traces(model: _Model, kept: int = 0) -> _Model:
    """A model that keeps nothing on the disk of the texts it reads: those belong to people who may want them
    erased, and a trainer's are never read twice.

    Args:
        model: Which has read no text yet.
        kept: Texts whose features it may keep in memory, until `People.forget_texts`.
    """
    if hasattr(model.features, "store") and hasattr(model.features, "kept"):
        model.features.store, model.features.kept = False, kept
    return model
