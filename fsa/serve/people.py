"""`People`: who is meant by a request, as the model has read them."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fsa.errors import FsaError
from fsa.outputs.reward_model import Person, RewardModel
from fsa.serve.problems import NotFound

if TYPE_CHECKING:
    from fsa.serve.store.people import Who


class Records(Protocol):
    """Where people's choices are: a database, or a file."""

    def revisions(self, people: Collection[Who]) -> dict[Who, str]:
        """Revision of each person that there is; another one after every change of their choices."""

    def records(self, people: Collection[Who]) -> dict[Who, list[dict[str, Any]]]:
        """Records of each person's choices, in the order they came."""


@dataclass(frozen=True)
class Asked:
    """Whose rewards a request wants: a stored person's, those of a person with these choices, or, with
    neither, an unknown person's.

    Attributes:
        tenant: Whose people are looked at.
        user: Id of a stored person.
        choices: Records, without a user.
    """

    tenant: str
    user: str | None = None
    choices: tuple[Mapping[str, Any], ...] = ()


class People:
    """Reads people with a model, many at once, and keeps the newest beliefs in memory.

    A stored person is looked up every time, so what another process wrote or erased counts at once; what is
    kept is the belief, with the revision of the choices that it was read from. To be used by one thread.

    Args:
        model: What reads them.
        store: Where they are.
        kept: Most beliefs to keep.
        observe: Is told how many people were found in memory, and how many were read.
    """

    def __init__(
        self,
        model: RewardModel,
        store: Records,
        kept: int,
        observe: Callable[[int, int], None] | None = None,
    ) -> None:
        self.model, self.store = model, store
        self._kept: OrderedDict[Who | str, tuple[str, Person]] = OrderedDict()
        self._max_kept = kept
        self._observe = observe or (lambda _found, _read: None)

    def of(self, asked: Sequence[Asked]) -> list[Person | FsaError]:
        """Each person, or what keeps us from reading them."""
        revisions = self._revisions(asked)
        missing = {
            _slot(one): one
            for one in asked
            if (revision := revisions[_slot(one)]) is not None and not self._holds(_slot(one), revision)
        }
        read = dict(zip(missing, self._read(list(missing.values())) if missing else [], strict=True))
        self._observe(len(asked) - len(missing), len(missing))
        people = [self._one(one, revisions[_slot(one)], read) for one in asked]
        self._keep(read, revisions)
        return people

    def forget(self, who: Who) -> bool:
        """Drop the belief that memory holds of a stored person, and with it all features; whether it did."""
        if self._kept.pop(who, None) is None:
            return False
        self.forget_texts()
        return True

    def forget_texts(self) -> None:
        """Drop the features that memory holds of texts: whose texts they are is not known."""
        if hasattr(self.model.features, "forget"):
            self.model.features.forget()

    def _revisions(self, asked: Sequence[Asked]) -> dict[Who | str, str | None]:
        """What each belief has to have been read from; None for a stored person that there is not."""
        stored = [(one.tenant, one.user) for one in asked if one.user is not None]
        found = self.store.revisions(set(stored)) if stored else {}
        for who in stored:
            if who not in found:
                self.forget(who)  # erased by another process
        return {_slot(one): "" if one.user is None else found.get((one.tenant, one.user)) for one in asked}

    def _holds(self, slot: Who | str, revision: str) -> bool:
        held = self._kept.get(slot)  # the revision of choices that came with a request is ""
        return held is not None and held[0] == revision

    def _one(
        self, asked: Asked, revision: str | None, read: Mapping[Who | str, Person | FsaError]
    ) -> Person | FsaError:
        slot = _slot(asked)
        if revision is None:
            return NotFound(f"there is no person {asked.user!r}")
        if slot in read:
            return read[slot]
        self._kept.move_to_end(slot)
        return self._kept[slot][1]

    def _read(self, asked: Sequence[Asked]) -> list[Person | FsaError]:
        stored = {(one.tenant, one.user) for one in asked if one.user is not None}
        records = self.store.records(stored) if stored else {}
        choices = [list(one.choices) if one.user is None else records[one.tenant, one.user] for one in asked]
        try:
            return list(self.model.for_users(choices))
        except FsaError as error:
            if len(choices) == 1:
                return [error]
        # One person's choices cannot be read: the others' can.
        return [person for one in asked for person in self._read([one])]

    def _keep(
        self, read: Mapping[Who | str, Person | FsaError], revisions: Mapping[Who | str, str | None]
    ) -> None:
        for slot, person in read.items():
            if isinstance(person, Person):
                self._kept[slot] = (revisions[slot] or "", person)
                self._kept.move_to_end(slot)
        while len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)


def _slot(asked: Asked) -> Who | str:
    """What a belief is kept under: the stored person, or the choices that came with the request."""
    return choices_hash(asked.choices) if asked.user is None else (asked.tenant, asked.user)


def choices_hash(choices: Sequence[Mapping[str, Any]]) -> str:
    """sha256 of records in their order."""
    written = json.dumps([dict(choice) for choice in choices], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()
