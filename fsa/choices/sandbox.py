"""`Sandbox`: embedded text data whose styles, users and Bayes limit are known."""

from __future__ import annotations

from functools import cached_property
from math import gcd
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from fsa.choices.sandbox_text.composing import ask, compose
from fsa.choices.sandbox_text.topics import QUESTIONS, SITUATIONS, TASKS
from fsa.choices.sandbox_text.wordings import ATTRIBUTES
from fsa.choices.simulation.tastes import POLE_NAMES, ContinuousTastes, Tastes, TypeTastes
from fsa.choices.source import Source, Truth
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.seeding import integers, uniform

__all__ = ["ATTRIBUTES", "Sandbox"]

# What a random number is for; the same counter never serves two purposes.
_LEVELS, _PROMPT, _SIDE, _RESPONSE, _POSITION, _NOISE, _FLIP = range(7)


class Sandbox(Source):
    """Users with known tastes choose between responses of known style to everyday questions.

    Half of the responses to a prompt are near one random style, half near its opposite; a choice takes its
    options from both sides in turn, so that most pairs differ in most attributes and tell much about a
    user. A user prefers by Plackett-Luce on `taste_scale` times the sum of weight x level over attributes.

    Args:
        num_prompts: Different prompts, over all topics evenly.
        responses_per_prompt: Different responses to each prompt; each is an item to compute features of.
        num_users: Users.
        choices_per_user: Choices of each user, of different prompts while there are any left.
        num_options: Options of each choice.
        outcome: What a user says: the best option, the order of all, or (pairs only) the better one or a tie.
        tastes: Whether users are of a few types, or all different.
        types: Which types there are, for instance to keep some for testing: poles of attributes ("long",
            "cheerful") or mixtures ("long+cheerful"). By default both poles of each attribute. Has no effect
            on continuous tastes.
        taste_scale: Nats of reward per unit of level, for a user who cares for one attribute only; its poles
            are 2 apart. Larger makes users more decisive: at the default they follow such a taste in 98 % of
            the pairs that differ in it.
        overlap: Chance that a response is at the other pole of an attribute than its side of the prompt. At
            0 a pair differs in every attribute; at 0.5 in half of them.
        flip_noise: Share of choices, 0 to 1, whose outcome is replaced by a uniformly random one.
        tie_weight: Davidson's nu, > 0, for ties; larger makes ties more common.
        seed: Seed of texts and users.

    Raises:
        ConfigError: Numbers do not fit each other, or a type is unknown.
    """

    def __init__(
        self,
        num_prompts: int = 400,
        responses_per_prompt: int = 4,
        num_users: int = 600,
        choices_per_user: int = 40,
        num_options: int = 2,
        outcome: Literal["pick", "ranking", "tie"] = "pick",
        tastes: Literal["types", "continuous"] = "types",
        types: list[str] | None = None,
        taste_scale: float = 2.0,
        overlap: float = 0.05,
        flip_noise: float = 0.0,
        tie_weight: float = 1.0,
        seed: int = 0,
    ) -> None:
        most_prompts = len(TASKS) * len(QUESTIONS) * len(SITUATIONS)
        _check(
            1 <= num_prompts <= most_prompts, f"num_prompts is {num_prompts}, allowed are 1 to {most_prompts}"
        )
        _check(num_users >= 1, f"num_users is {num_users}, allowed is 1 or more")
        _check(choices_per_user >= 1, f"choices_per_user is {choices_per_user}, allowed is 1 or more")
        _check(
            2 <= num_options <= responses_per_prompt,
            f"num_options is {num_options}, allowed are 2 to responses_per_prompt, {responses_per_prompt}",
        )
        _check(outcome != "tie" or num_options == 2, f"ties need num_options 2, got {num_options}")
        _check(0 <= overlap <= 0.5, f"overlap is {overlap}, allowed are 0 to 0.5")
        _check(0 <= flip_noise < 1, f"flip_noise is {flip_noise}, allowed are 0 to below 1")
        _check(tie_weight > 0, f"tie_weight is {tie_weight}, allowed is above 0")
        self.num_prompts, self.responses_per_prompt = num_prompts, responses_per_prompt
        self.num_users, self.choices_per_user = num_users, choices_per_user
        self.num_options, self.outcome = num_options, outcome
        self.taste_scale, self.overlap, self.flip_noise, self.seed = taste_scale, overlap, flip_noise, seed
        self.tie_weight = tie_weight if outcome == "tie" else 0.0
        self.tastes: Tastes = (
            ContinuousTastes() if tastes == "continuous" else TypeTastes(types or POLE_NAMES)
        )

    def load(self) -> ChoiceTable:
        """All choices; item i is response i % responses_per_prompt to prompt i // responses_per_prompt."""
        weights, group = self.tastes.users(self.num_users, self.seed)
        user = np.repeat(np.arange(self.num_users), self.choices_per_user)
        turn = np.tile(np.arange(self.choices_per_user), self.num_users)
        prompt = self._prompts(user, turn)  # [n]
        option = self._options(user, turn, prompt)  # [n, k]
        rewards = self.taste_scale * np.einsum("nka,na->nk", self.levels[option], weights[user])
        place = self._outcomes(user, turn, rewards)  # [n, k]
        prompts, responses = self._texts
        return ChoiceTable.from_columns(
            users=[f"user-{number}" for number in range(self.num_users)],
            user=user.astype(np.int32),
            prompt=prompt.astype(np.int32),
            num_options=np.full(len(user), self.num_options, np.int64),
            option=option.reshape(-1).astype(np.int32),
            place=place.reshape(-1).astype(np.int16),
            texts=prompts + responses,
            item_prompt=np.repeat(np.arange(self.num_prompts, dtype=np.int32), self.responses_per_prompt),
            item_response=np.arange(len(prompts), len(prompts) + len(responses), dtype=np.int32),
            group=group[user].astype(np.int32),
            groups=self.tastes.groups,
        )

    def truth(self, table: ChoiceTable) -> Truth:
        """The rule that made the choices: for continuous tastes with a sample of the prior, else exact."""
        weights = self.tastes.prior(self.seed)
        return Truth(
            rewards=self.taste_scale * weights @ self.attributes(table).T,
            log_prior=np.full(len(weights), -np.log(len(weights))),
            tie_weight=self.tie_weight,
            flip_noise=self.flip_noise,
        )

    def attributes(self, table: ChoiceTable) -> Int[Array, "m a"]:
        """Level, -1 or +1, of each of `ATTRIBUTES` for each item of a table that this source loaded.

        Raises:
            ConfigError: The table has another number of items, so it came from elsewhere.
        """
        _check(
            table.num_items == len(self.levels),
            f"the table has {table.num_items} items, this sandbox makes {len(self.levels)}",
        )
        return self.levels

    @cached_property
    def levels(self) -> Int[Array, "m a"]:
        """Level of each attribute of each item: even responses are near the prompt's style, odd ones far."""
        item = np.arange(self.num_prompts * self.responses_per_prompt)
        prompt, response = np.divmod(item, self.responses_per_prompt)
        attribute = np.arange(len(ATTRIBUTES))
        style = np.where(uniform(self.seed, _LEVELS, 0, prompt[:, None], attribute) < 0.5, -1, 1)
        is_other_side = (response % 2 == 1)[:, None]
        is_other_pole = uniform(self.seed, _LEVELS, 1, item[:, None], attribute) < self.overlap
        return np.where(is_other_side ^ is_other_pole, -style, style)

    @cached_property
    def _texts(self) -> tuple[list[str], list[str]]:
        """Every prompt and every item's response; no text comes twice."""
        prompts, responses, seen = [], [], set[str]()
        for number in range(self.num_prompts):
            topic, wording, situation = self._question(number)
            prompts.append(ask(topic, wording, situation))
            first = number * self.responses_per_prompt
            for item in range(first, first + self.responses_per_prompt):
                index = item
                while (text := compose(topic, self.levels[item], self.seed, index)) in seen:
                    index += len(self.levels)
                seen.add(text)
                responses.append(text)
        return prompts, responses

    def _question(self, number: int) -> tuple[int, int, int]:
        """Topic, wording and situation of a prompt; topics take turns, each through all it can be asked."""
        turn, topic = divmod(number, len(TASKS))
        num_ways = len(QUESTIONS) * len(SITUATIONS)
        first = int(integers(num_ways, self.seed, _PROMPT, topic))
        # Coprime with the 70 ways, so that each comes once; wording and situation both change at each step.
        wording, situation = divmod((first + 11 * turn) % num_ways, len(SITUATIONS))
        return topic, wording, situation

    def _prompts(self, user: Int[Array, " n"], turn: Int[Array, " n"]) -> Int[Array, " n"]:
        """Prompt of each choice: each user walks through all prompts at a stride of their own."""
        strides = np.array(
            [step for step in range(1, self.num_prompts + 1) if gcd(step, self.num_prompts) == 1]
        )
        first = integers(self.num_prompts, self.seed, _PROMPT, 0, user)
        stride = strides[integers(len(strides), self.seed, _PROMPT, 1, user)]
        return (first + turn * stride) % self.num_prompts

    def _options(
        self, user: Int[Array, " n"], turn: Int[Array, " n"], prompt: Int[Array, " n"]
    ) -> Int[Array, "n k"]:
        """Items of each choice, taken from both sides in turn and put in random positions."""
        response = np.arange(self.responses_per_prompt)
        draw = uniform(self.seed, _RESPONSE, user[:, None], turn[:, None], response)
        side_first = integers(2, self.seed, _SIDE, user, turn)[:, None]
        rank = np.empty(draw.shape)
        for side in (0, 1):
            of_side = draw[:, side::2].argsort(1).argsort(1)
            rank[:, side::2] = 2 * of_side + (side ^ side_first)
        taken = rank.argsort(1)[:, : self.num_options]
        slots = np.arange(self.num_options)
        position = uniform(self.seed, _POSITION, user[:, None], turn[:, None], slots).argsort(1)
        return prompt[:, None] * self.responses_per_prompt + np.take_along_axis(taken, position, 1)

    def _outcomes(
        self, user: Int[Array, " n"], turn: Int[Array, " n"], rewards: Float[Array, "n k"]
    ) -> Int[Array, "n k"]:
        """Place of each option: the largest reward plus Gumbel noise comes first, which is Plackett-Luce."""
        if self.tie_weight:  # a tie is one more thing to pick
            tie = rewards.mean(1, keepdims=True) + np.log(self.tie_weight)
            rewards = np.concatenate([rewards, tie], 1)
        is_flipped = uniform(self.seed, _FLIP, user, turn) < self.flip_noise
        rewards = np.where(is_flipped[:, None], 0, rewards)  # equal rewards make all outcomes equally likely
        draw = uniform(self.seed, _NOISE, user[:, None], turn[:, None], np.arange(rewards.shape[1]))
        utility = rewards - np.log(-np.log(np.maximum(draw, 2.0**-54)))
        if self.outcome == "ranking":
            return (-utility).argsort(1).argsort(1)
        best = utility.argmax(1)[:, None]
        is_tie = best == self.num_options
        return np.where(is_tie, 0, best != np.arange(self.num_options)).astype(np.int64)


def _check(is_fine: bool, message: str) -> None:
    if not is_fine:
        raise ConfigError(message)
