"""`TableBuilder`: choices one by one in, the columns of a `ChoiceTable` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.choices.stored_text import encode_text
from fsa.errors import ChoiceDataError
from fsa.types import Choice


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
        self._user: list[int] = []
        self._prompt: list[int] = []
        self._group: list[int] = []
        self._split: list[int] = []
        self._size: list[int] = []
        self._option: list[int] = []
        self._place: list[int] = []
        self.width: int | None = None

    def add(self, choice: Choice) -> None:
        """Take one choice.

        Raises:
            ChoiceDataError: Its options are numbers and earlier ones were text, or of another length.
        """
        prompt = self._texts[encode_text(choice.prompt)]
        self._option += [self._item(prompt, response) for response in choice.options]
        self._place += choice.outcome.places(len(choice.options))
        self._add_rest(choice.user, prompt, len(choice.options), choice.group, choice.split)

    def add_pick(
        self, user: str, prompt: str, options: Iterable[str], chosen: int, group: str, split: str
    ) -> None:
        """Take a pick among plain texts: the same as `add`, at a third of its time.

        Its options follow options that are text too, see `width`, and no text begins with the mark of a chat.
        """
        self.width = 0
        texts, items = self._texts, self._items
        number = texts[prompt]
        found = [items[number, texts[option]] for option in options]
        self._option += found
        places = [1] * len(found)
        places[chosen] = 0
        self._place += places
        self._add_rest(user, number, len(found), group, split)

    def columns(self) -> dict[str, Any]:
        """What `ChoiceTable.from_columns` takes."""
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

    def _add_rest(self, user: str, prompt: int, size: int, group: str, split: str) -> None:
        self._user.append(self._users[user])
        self._prompt.append(prompt)
        self._group.append(self._groups[group])
        self._split.append(self._splits[split])
        self._size.append(size)

    def _item(self, prompt: int, response: Any) -> int:
        is_number = isinstance(response, tuple) and not isinstance(response[0], Mapping)
        width = len(response) if is_number else 0
        if self.width != width:
            if self.width is not None:
                kinds = [f"{w} numbers" if w else "text" for w in (self.width, width)]
                raise ChoiceDataError(f"options must all be of one kind, came {kinds[0]} and then {kinds[1]}")
            self.width = width
        return self._items[prompt, response if is_number else self._texts[encode_text(response)]]

    def _item_columns(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Prompt, response and numbers of each item."""
        prompts = np.fromiter((key[0] for key in self._items), np.int32, len(self._items))
        if self.width:
            numbers = np.array([key[1] for key in self._items])
            return prompts, np.full(len(self._items), -1, np.int32), numbers
        responses = np.fromiter((key[1] for key in self._items), np.int32, len(self._items))
        return prompts, responses, np.zeros((len(self._items), 0))
