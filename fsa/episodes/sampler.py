"""`EpisodeSampler`: which of a user's choices are seen, and which are predicted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fsa.choices.table import ChoiceTable
from fsa.errors import EpisodeError
from fsa.seeding import integers, random_bits, uniform

# What a random number is for; the same counter never serves two purposes.
_USER, _SIZE, _PLACE, _ORDER = range(4)


@dataclass(frozen=True)
class EpisodeRows:
    """Episodes as rows of a table, -1 for padding.

    Attributes:
        index: Number of each episode in the run [b].
        user: User number of each episode [b].
        context: Rows that are seen [b, n].
        target: Rows to predict, at least one each [b, m].
        wanted: Context size that was drawn, before the user's choices ran out [b].
    """

    index: NDArray[np.int64]
    user: NDArray[np.int64]
    context: NDArray[np.int64]
    target: NDArray[np.int64]
    wanted: NDArray[np.int64]

    @property
    def num_shortened(self) -> int:
        """Episodes whose context is smaller than wanted."""
        return int(((self.context >= 0).sum(1) < self.wanted).sum())

    def mean_seen(self, size: int) -> float:
        """Choices seen per episode, in the mean, where `size` are asked for; fewer where users have fewer."""
        return float((self.context[:, :size] >= 0).sum(1).mean())

    def split(self, num_parts: int) -> list[EpisodeRows]:
        """Equal parts in order, each padded to the largest of its own episodes."""
        sizes = [
            (rows >= 0).sum(1).reshape(num_parts, -1).max(1).tolist() for rows in (self.context, self.target)
        ]
        # Not -1 for the length: where all contexts are empty it could be any.
        length = len(self.index) // num_parts
        columns = [column.reshape(num_parts, length, *column.shape[1:]) for column in vars(self).values()]
        return [
            EpisodeRows(index, user, context[:, :n], target[:, :m], wanted)
            for index, user, context, target, wanted, n, m in zip(*columns, *sizes, strict=True)
        ]

    def part(self, some: slice | NDArray[np.integer]) -> EpisodeRows:
        """Some of the episodes, padded to the largest of them."""
        columns = [column[some] for column in vars(self).values()]
        return EpisodeRows(*columns).split(1)[0]

    def with_context(self, size: int) -> EpisodeRows:
        """The same episodes with the first `size` choices of each context, and the same targets."""
        return replace(self, context=self.context[:, :size], wanted=np.minimum(self.wanted, size))


class EpisodeSampler:
    """Draws episodes; the i-th depends on (seed, i) alone.

    Context and target share no prompt. A user with a single prompt is split by response instead: no
    response stands on both sides, and choices across are left out. One target is set aside first, then the
    context is filled from what does not touch it, then every choice that the context does not touch is a
    target: so there always is a target, and the context is as large as wanted where that is possible.

    Args:
        table: The choices.
        max_context: Largest context; sizes are uniform from 0 to this.
        max_targets: Most targets an episode has.
        seed: Seed of the run.
        in_turn: Users take turns instead of being drawn, all contexts have the size `max_context`, and users
            who were asked the very same things get the same draws: for evaluation.

    Raises:
        EpisodeError: The table is empty.
    """

    def __init__(
        self,
        table: ChoiceTable,
        max_context: int = 20,
        max_targets: int = 20,
        seed: int = 0,
        in_turn: bool = False,
    ) -> None:
        if not len(table):
            raise EpisodeError("there are no choices to make episodes of")
        self.table, self.seed, self.in_turn = table, seed, in_turn
        self.max_context, self.max_targets = max_context, max_targets
        # More candidates than needed, so that those which share a prompt with the other side can be left out.
        self.max_candidates = 3 * (max_context + max_targets)

    def draw(self, numbers: NDArray[np.integer]) -> EpisodeRows:
        """The episodes of these numbers, all at once."""
        index = numbers.astype(np.int64)
        num_users = self.table.num_users
        if self.in_turn:
            user = np.mod(index, num_users, dtype=np.int64)
            key = random_bits(self.seed, index // num_users, self._asked[user])
            wanted = np.full(len(index), self.max_context)
        else:
            user = integers(num_users, self.seed, _USER, index)
            key = random_bits(self.seed, _PLACE, index)
            wanted = integers(self.max_context + 1, self.seed, _SIZE, index)
        candidates = self._candidates(user, key)
        shares = _Touching(self.table, self._single_prompt[user], candidates)
        is_anchor = np.zeros(candidates.shape, bool)
        is_anchor[:, 0] = True
        in_context = _first(~shares.any_unit_of(is_anchor) & (candidates >= 0), wanted)
        in_target = _first(~shares.any_unit_of(in_context) & (candidates >= 0), self.max_targets)
        return EpisodeRows(index, user, _pack(candidates, in_context), _pack(candidates, in_target), wanted)

    def _candidates(self, user: NDArray[np.int64], key: NDArray[np.uint64]) -> NDArray[np.int64]:
        """A random order of up to `max_candidates` of each user's rows [b, w], -1 for padding."""
        offsets = self.table.user_offsets
        start, count = offsets[user], offsets[user + 1] - offsets[user]
        taken = np.minimum(count, self.max_candidates)
        slot = np.arange(int(taken.max()))
        jitter = uniform(self.seed, _PLACE, key[:, None], slot)
        # One from each of `taken` equal stretches: distinct without a search, and all where all are taken.
        row = np.floor((slot + jitter) * (count / taken)[:, None]).astype(np.int64)
        row = start[:, None] + np.minimum(row, count[:, None] - 1)
        exists = slot < taken[:, None]
        order = np.argsort(np.where(exists, uniform(self.seed, _ORDER, key[:, None], slot), 2.0), axis=1)
        return np.take_along_axis(np.where(exists, row, -1), order, 1)

    @cached_property
    def _single_prompt(self) -> NDArray[np.bool_]:
        """Users who answered one prompt only [u]."""
        return np.maximum.reduceat(self.table.prompt_in_user, self.table.user_offsets[:-1]) == 0

    @cached_property
    def _asked(self) -> NDArray[np.uint64]:
        """A number for what each user was asked, equal for users who were asked the same [u]."""
        table = self.table
        first_option = table.option_offsets[table.user_offsets[:-1]]
        slot = np.arange(len(table.option)) - np.repeat(
            first_option, np.diff(np.append(first_option, len(table.option)))
        )
        return np.add.reduceat(random_bits(0, slot, table.option), first_option)


class _Touching:
    """Which candidates share a unit (a prompt, or for single-prompt users a response) with some of them."""

    def __init__(
        self, table: ChoiceTable, by_response: NDArray[np.bool_], candidates: NDArray[np.int64]
    ) -> None:
        self.rows = np.maximum(candidates, 0)
        self.exists = candidates >= 0
        self.parts = []
        if not by_response.all():
            self.parts.append((~by_response, table.prompt_in_user[self.rows][..., None]))
        if by_response.any():
            slot = np.arange(int(table.num_options[self.rows].max()))
            # A choice with fewer options repeats its last one: the same unit twice changes nothing.
            option = table.option_offsets[self.rows][..., None] + np.minimum(
                slot, table.num_options[self.rows][..., None] - 1
            )
            self.parts.append((by_response, table.response_in_user[option]))

    def any_unit_of(self, some: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Candidates that share a unit with one of `some` [b, w]."""
        touched = np.zeros(self.rows.shape, bool)
        for applies, units in self.parts:
            seen = np.zeros((len(units), int(units.max()) + 1), bool)
            episode, slot = np.nonzero(some & self.exists)
            seen[episode[:, None], units[episode, slot]] = True
            hit = seen[np.arange(len(units))[:, None, None], units].any(-1)
            touched |= hit & applies[:, None]
        return touched


def _first(eligible: NDArray[np.bool_], count: NDArray[np.int64] | int) -> NDArray[np.bool_]:
    """The first `count` eligible candidates of each row."""
    return eligible & (np.cumsum(eligible, 1) <= np.reshape(count, (-1, 1)))


def _pack(candidates: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The chosen candidates moved to the left, in order, -1 behind them."""
    width = int(chosen.sum(1).max(initial=0))
    packed = np.full((len(candidates), width), -1, np.int64)
    episode, slot = np.nonzero(chosen)
    packed[episode, (np.cumsum(chosen, 1) - 1)[episode, slot]] = candidates[episode, slot]
    return packed
