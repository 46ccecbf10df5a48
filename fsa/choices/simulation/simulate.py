"""`simulate`: what users who weigh attributes would choose, given each response's score on each attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from fsa.choices.stored_text import encode_text
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.seeding import random_bits, stable_hash, uniform
from fsa.types import Text

_SWAP, _SAMPLE, _NOISE = range(3)  # what a random number is for


def simulate(
    scores: Float[np.ndarray, "m a"],
    users: Mapping[str, Mapping[str, float]],
    *,
    attributes: Sequence[str],
    prompts: Sequence[Text],
    responses: Sequence[Text],
    item_prompt: Int[np.ndarray, " m"],
    pairs: Int[np.ndarray, "n 2"] | None = None,
    pairs_per_prompt: int | None = None,
    splits: Sequence[str] | None = None,
    ties: Literal["keep", "drop"] = "drop",
    temperature: float = 0.0,
    seed: int = 0,
) -> ChoiceTable:
    """Every user compares the responses to every prompt, two at a time.

    A user's utility of a response is the weighted sum of its scores. The order in which two responses are
    shown, the pairs sampled and the noise follow from (seed, prompt, pair, user's name), so none of them
    moves when users or prompts are added.

    Args:
        scores: Of each response on each attribute; larger is more of it.
        users: Weight of each attribute for each user, by names; attributes left out weigh 0.
        attributes: Name of each column of `scores`.
        prompts: Every prompt once.
        responses: One for each row of `scores`; responses to one prompt differ.
        item_prompt: Which prompt each response answers.
        pairs: Rows of `scores` to compare; all pairs of responses to one prompt where None.
        pairs_per_prompt: Sample this many of a prompt's pairs, the same for all users, >= 1; None takes all.
        splits: Split of each prompt, or none.
        ties: "drop" pairs of equal utility and count them as `ties_dropped`, or "keep" them as ties. With
            noise no user ties: equal utilities are a coin flip.
        temperature: Units of utility that make odds of e to 1 (Bradley-Terry); 0 for no noise.
        seed: Of order, sample and noise.

    Returns:
        Choices by user, group = user.

    Raises:
        ConfigError: A user weighs an attribute that has no scores, or numbers do not fit each other.
    """
    if scores.shape != (len(responses), len(attributes)) or len(item_prompt) != len(responses):
        raise ConfigError(
            f"scores must be [responses, attributes] = [{len(responses)}, {len(attributes)}] and item_prompt "
            f"[{len(responses)}], came {list(scores.shape)} and [{len(item_prompt)}]"
        )
    if temperature < 0 or (pairs_per_prompt is not None and pairs_per_prompt < 1):
        came = f"{temperature} and {pairs_per_prompt}"
        raise ConfigError(f"temperature must be >= 0 and pairs_per_prompt >= 1, came {came}")
    pairs = all_pairs(np.asarray(item_prompt)) if pairs is None else np.asarray(pairs).reshape(-1, 2)
    prompt_hash = np.array([stable_hash(encode_text(prompt)) for prompt in prompts], np.uint64)
    prompt = np.asarray(item_prompt)[pairs[:, 0]]
    pairs, prompt, number = number_pairs(pairs, prompt)
    if pairs_per_prompt is not None:
        key = random_bits(seed, _SAMPLE, prompt_hash[prompt], number)
        kept = smallest(key, prompt, pairs_per_prompt)
        pairs, prompt, number = pairs[kept], prompt[kept], number[kept]
    # The order of the responses must not give the choice away.
    swap = random_bits(seed, _SWAP, prompt_hash[prompt], number) % np.uint64(2) == 1
    pairs = np.where(swap[:, None], pairs[:, ::-1], pairs)

    user_hash = np.array([stable_hash(name) for name in users], np.uint64)
    noise = uniform(seed, _NOISE, user_hash[:, None], prompt_hash[prompt], number)  # [u, n]
    place = _places(scores @ _weights(users, attributes), pairs, noise, temperature)  # [u, n, 2]
    is_tie = place.max(-1) == 0
    kept_user, kept_pair = np.nonzero(np.ones_like(is_tie) if ties == "keep" else ~is_tie)
    stored = [encode_text(text) for text in (*prompts, *responses)]  # each once in the table
    text_prompt, text_response = np.split(_numbers(stored), [len(prompts)])
    return ChoiceTable.from_columns(
        users=list(users),
        user=kept_user.astype(np.int32),
        prompt=text_prompt[prompt[kept_pair]],
        num_options=np.full(len(kept_pair), 2),
        option=pairs[kept_pair].reshape(-1).astype(np.int32),
        place=place[kept_user, kept_pair].reshape(-1).astype(np.int16),
        texts=list(dict.fromkeys(stored)),
        item_prompt=text_prompt[item_prompt],
        item_response=text_response,
        group=kept_user.astype(np.int32),
        groups=list(users),
        split=None if splits is None else _numbers(splits)[prompt[kept_pair]],
        splits=None if splits is None else list(dict.fromkeys(splits)),
        counts={"ties_dropped": int(is_tie.sum())} if ties == "drop" else {},
    )


def _weights(users: Mapping[str, Mapping[str, float]], attributes: Sequence[str]) -> Float[np.ndarray, "a u"]:
    if not users:
        raise ConfigError("users must name at least one, came none")
    for name, weights in users.items():
        if unknown := set(weights) - set(attributes):
            raise ConfigError(f"user {name!r} weighs {sorted(unknown)}; scored are {list(attributes)}")
    return np.array([[weights.get(name, 0.0) for name in attributes] for weights in users.values()]).T


def _places(
    utility: Float[np.ndarray, "m u"],
    pairs: Int[np.ndarray, "n 2"],
    noise: Float[np.ndarray, "u n"],
    temperature: float,
) -> Int[np.ndarray, "u n 2"]:
    gain = (utility[pairs[:, 0]] - utility[pairs[:, 1]]).T
    if temperature:
        # The first wins with probability sigmoid(gain / temperature): compare with a logistic variate.
        gain = gain / temperature - np.log(np.maximum(noise, 2.0**-54) / (1 - noise))
    # Sums of decimal weights differ in their last bits where they should be equal.
    is_equal = np.abs(gain) <= (0 if temperature else 1e-9 * np.abs(utility).max(initial=1))
    first_loses = (gain < 0) & ~is_equal
    second_loses = (gain > 0) & ~is_equal
    return np.stack([first_loses, second_loses], -1).astype(np.int64)


def all_pairs(item_prompt: NDArray[np.integer]) -> Int[np.ndarray, "n 2"]:
    """All pairs of items that share a prompt, by prompt and then as listed."""
    order = np.argsort(item_prompt, kind="stable")
    sizes = np.unique(item_prompt, return_counts=True)[1]
    starts = np.cumsum(sizes) - sizes
    pairs = [np.zeros((0, 2), np.int64)]
    for size in np.unique(sizes):
        within = np.stack(np.triu_indices(size, 1), -1)
        pairs.append(order[(starts[sizes == size][:, None, None] + within).reshape(-1, 2)])
    return np.concatenate(pairs)


def number_pairs(
    pairs: NDArray[np.integer], prompt: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]:
    """Pairs ordered by prompt, their prompts, and each pair's number within its prompt."""
    order = np.argsort(prompt, kind="stable")
    prompt = prompt[order]
    first = np.searchsorted(prompt, prompt)
    return pairs[order], prompt, np.arange(len(prompt)) - first


def smallest(key: NDArray[np.uint64], prompt: NDArray[np.integer], limit: int) -> NDArray[np.integer]:
    """Where the `limit` smallest keys of each prompt are, ascending; `prompt` ascends."""
    order = np.lexsort((key, prompt))
    rank = np.arange(len(prompt)) - np.searchsorted(
        prompt, prompt
    )  # by rank in the order, which keeps prompts
    return np.sort(order[rank < limit])


def _numbers(names: Sequence[str]) -> NDArray[np.int32]:
    """Number of each name among the distinct ones, in order of appearance."""
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], np.int32)
