"""`TableBuilder`: choices one by one in, the columns of a `ChoiceTable` out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.choices.stored_text import encode_text
from fsa.errors import ChoiceDataError
from fsa.types import Choice, is_numbers

UsualPick = tuple[str, str, Sequence[str], int, str, str]
"""User, prompt, options, number of the chosen one, group and split of a pick among plain texts."""
_BITS = 32  # of a text's number in the key of an item: its prompt's number stands above them
_AT_ONCE = 256  # picks that are numbered together: few enough to stay in the processor's cache


class _Numbering(dict[Any, int]):
    """Gives every new key the next number."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


class TableBuilder:
    """Gives every user, group, split, text and item a number, in order of appearance.

    Attributes:
        width: Numbers an option; 0 where options are text, None before the first choice.
    """

    def __init__(self) -> None:
        self._users, self._groups, self._splits, self._texts, self._items = (_Numbering() for _ in range(5))
        self._user, self._prompt, self._group, self._split = (array("i") for _ in range(4))
        self._size, self._option, self._place = (array("i") for _ in range(3))
        self._picks: list[UsualPick] = []  # not yet numbered
        self.width: int | None = None

    def add(self, choice: Choice) -> None:
        """Take one choice.

        Raises:
            ChoiceDataError: Its options are numbers and earlier ones were text, or of another length.
        """
        self._number_picks()
        prompt = self._texts[encode_text(choice.prompt)]
        self._option.extend([self._item(prompt, response) for response in choice.options])
        self._place.extend(choice.outcome.places(len(choice.options)))
        self._user.append(self._users[choice.user])
        self._prompt.append(prompt)
        self._group.append(self._groups[choice.group])
        self._split.append(self._splits[choice.split])
        self._size.append(len(choice.options))

    def add_picks(self, picks: Iterable[UsualPick]) -> None:
        """Take picks among plain texts: the same as `add` of each, at a fifth of its time.

        Their options follow options that are text too, see `width`, and no text begins with the mark of a
        chat.
        """
        self.width = 0
        for pick in picks:
            self._picks.append(pick)
            if len(self._picks) == _AT_ONCE:
                self._number_picks()

    def columns(self) -> dict[str, Any]:
        """What `ChoiceTable.from_columns` takes."""
        self._number_picks()
        item_prompt, item_response, numbers = self._item_columns()
        return {
            "users": list(self._users),
            "user": np.array(self._user, np.int32),
            "prompt": np.array(self._prompt, np.int32),
            "num_options": np.array(self._size, np.int64),
            "option": np.array(self._option, np.int32),
            "place": np.array(self._place, np.int16),
            "group": np.array(self._group, np.int32),
            "groups": list(self._groups),
            "split": np.array(self._split, np.int32),
            "splits": list(self._splits),
            "item_prompt": item_prompt,
            "item_response": item_response,
            "numbers": numbers,
            "texts": list(self._texts),
        }

    def _number_picks(self) -> None:
        """Number what `add_picks` took, in the order in which `add` would have."""
        if not self._picks:
            return
        users, prompts, options, chosen, groups, splits = zip(*self._picks, strict=True)
        self._picks = []
        sizes = np.fromiter(map(len, options), np.int64, len(options))
        ends = np.cumsum(sizes)
        texts = [text for prompt, own in zip(prompts, options, strict=True) for text in (prompt, *own)]
        numbers = np.fromiter(map(self._texts.__getitem__, texts), np.int64, len(texts))
        is_prompt = np.zeros(len(texts), bool)
        is_prompt[ends - sizes + np.arange(len(sizes))] = True
        prompt = numbers[is_prompt]
        keys = (np.repeat(prompt, sizes) << _BITS) | numbers[~is_prompt]
        places = np.ones(len(keys), np.int32)
        places[ends - sizes + np.array(chosen)] = 0
        self._option.extend(map(self._items.__getitem__, keys.tolist()))
        self._place.frombytes(places.tobytes())
        self._prompt.frombytes(prompt.astype(np.int32).tobytes())
        self._size.frombytes(sizes.astype(np.int32).tobytes())
        self._user.extend(map(self._users.__getitem__, users))
        self._group.extend(map(self._groups.__getitem__, groups))
        self._split.extend(map(self._splits.__getitem__, splits))

    def _item(self, prompt: int, response: Any) -> int:
        is_numeric = is_numbers(response)
        width = len(response) if is_numeric else 0
        if self.width != width:
            if self.width is not None:
                kinds = [f"{w} numbers" if w else "text" for w in (self.width, width)]
                raise ChoiceDataError(f"options must all be of one kind, came {kinds[0]} and then {kinds[1]}")
            self.width = width
        if is_numeric:
            return self._items[prompt, response]
        return self._items[(prompt << _BITS) | self._texts[encode_text(response)]]

    def _item_columns(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Prompt, response and numbers of each item."""
        if self.width:
            prompts = np.fromiter((key[0] for key in self._items), np.int32, len(self._items))
            numbers = np.array([key[1] for key in self._items])
            return prompts, np.full(len(self._items), -1, np.int32), numbers
        keys = np.fromiter(self._items, np.int64, len(self._items))
        responses = (keys & ((1 << _BITS) - 1)).astype(np.int32)
        return (keys >> _BITS).astype(np.int32), responses, np.zeros((len(self._items), 0))
