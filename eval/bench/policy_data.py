"""What policies are timed on: a small Llama, made-up texts as long as real ones, choices of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.choices.table import ChoiceTable
from fsa.models.small_llama import SmallLlama
from fsa.seeding import integers, uniform

TABLE = "choices.arrow"
_PER_PROMPT = 4  # responses
# Tokens of HelpSteer2's prompts and responses at these shares of all (30k word pieces, n = 6,000).
_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_PROMPT = (2, 6, 17, 44, 214, 455, 550, 689)
_RESPONSE = (5, 24, 161, 296, 448, 653, 821, 1126)
# What a random number is for; the same counter never serves two purposes.
_LENGTH, _WORD, _USER, _OFFERED, _LETTERS = range(5)


@dataclass(frozen=True)
class Sizes:
    """How large the model and its data are.

    Attributes:
        vocabulary: Tokens that the model knows; the texts use nearly all of them.
        width, layers, heads: Of the Llama.
        shorter: Prompts and responses are this many times shorter than HelpSteer2's.
        max_tokens: Most tokens of a prompt with its response, or a few more.
        pairs: Pairs in a step, each of another user.
        users, choices_per_user: People in the table.
    """

    vocabulary: int = 30_000
    width: int = 256
    layers: int = 6
    heads: int = 4
    shorter: int = 4
    max_tokens: int = 128
    pairs: int = 8
    users: int = 16
    choices_per_user: int = 16


def make(folder: Path, sizes: Sizes) -> float:
    """Write a model with random weights, its tokenizer and a table of choices.

    Texts are of made-up words, some often and most rarely used, as in a language; the tokenizer has learned
    them. Lengths are drawn as HelpSteer2 has them, only shorter, and cut to fit: a prompt to half of
    `max_tokens`, a response to what is left.

    Returns:
        The head's share of the model's weights, 0-1.
    """
    words = _words(sizes.vocabulary)
    table = _table(words, sizes)
    texts = [*words, *(str(text) for text in table.texts.to_pylist())]
    shape: dict[str, Any] = {"vocabulary": sizes.vocabulary, "max_positions": 2 * sizes.max_tokens}
    start = SmallLlama(sizes.width, sizes.layers, sizes.heads, **shape).build(texts)
    start.model.save_pretrained(folder)
    start.tokenizer.save_pretrained(folder)
    table.save(folder / TABLE)
    head = start.model.get_output_embeddings().weight
    return head.numel() / sum(weight.numel() for weight in start.model.parameters())


def _words(count: int) -> list[str]:
    """Different words of two to four syllables, the commonest first."""
    syllables = [consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeiou"]
    found: dict[str, None] = {}
    number = 0
    while len(found) < count:
        letters = integers(len(syllables), 0, _LETTERS, number, np.arange(2 + number % 3))
        found["".join(syllables[letter] for letter in letters)] = None
        number += 1
    return list(found)


def _table(words: Sequence[str], sizes: Sizes) -> ChoiceTable:
    prompts = max(sizes.users * sizes.choices_per_user // 4, sizes.choices_per_user)
    lengths = _lengths(prompts, sizes)
    texts = [_text(words, number, int(length)) for number, length in enumerate(lengths.T.reshape(-1))]
    choices = np.arange(sizes.users * sizes.choices_per_user)
    user = choices // sizes.choices_per_user
    # Each user walks through the prompts from somewhere else, so that no prompt comes twice.
    prompt = (integers(prompts, 0, _USER, user) + choices) % prompts
    offered = uniform(0, _OFFERED, choices[:, None], np.arange(_PER_PROMPT)).argsort(1)[:, :2]
    item = prompt[:, None] * _PER_PROMPT + offered
    items = np.arange(prompts * _PER_PROMPT, dtype=np.int32)
    return ChoiceTable.from_columns(
        users=[f"user-{number}" for number in range(sizes.users)],
        user=user.astype(np.int32),
        prompt=prompt.astype(np.int32),
        num_options=np.full(len(choices), 2, np.int64),
        option=item.reshape(-1).astype(np.int32),
        place=np.tile(np.array([0, 1], np.int16), len(choices)),
        texts=texts,
        item_prompt=items // _PER_PROMPT,
        item_response=prompts + (items % _PER_PROMPT) * prompts + items // _PER_PROMPT,
    )


def _lengths(prompts: int, sizes: Sizes) -> NDArray[np.int64]:
    """Words of each prompt and of its responses [prompts, 1 + responses]."""
    room = 0.9 * sizes.max_tokens - 5  # a rare word takes several tokens; so do start, end and blank line
    shares = uniform(0, _LENGTH, np.arange(prompts)[:, None], np.arange(1 + _PER_PROMPT))
    prompt, response = (np.log(np.array(length) / sizes.shorter) for length in (_PROMPT, _RESPONSE))
    of_prompt = np.exp(np.interp(shares[:, :1], _SHARES, prompt)).clip(max=room / 2)
    of_response = np.exp(np.interp(shares[:, 1:], _SHARES, response)).clip(max=room - of_prompt)
    return np.concatenate([of_prompt, of_response], 1).astype(np.int64).clip(min=1)


def _text(words: Sequence[str], number: int, length: int) -> str:
    """Words by Zipf's law: the n-th commonest comes with a chance near 1 / n."""
    shares = uniform(0, _WORD, number, np.arange(length))
    places = np.exp(shares * np.log(len(words))).astype(np.int64) - 1
    return " ".join(words[place] for place in places)
