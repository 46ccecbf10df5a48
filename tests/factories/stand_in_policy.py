"""A stand-in for a trained policy, that sees what somebody likes and writes it; and its data."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from eval.generations.grid import GridNumbers
from fsa.choices.sandbox_text.composing import compose
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.splits import Splitter
from fsa.seeding import stable_hash
from fsa.types import Belief

TYPES = ["concise", "long", "plain", "cheerful"]
ARGUMENTS = {"num_prompts": 120, "num_users": 80, "choices_per_user": 40, "types": TYPES}
BOTH = Splitter("both", (0.4, 0.1, 0.5))


def levels_of(text: str) -> np.ndarray:
    return np.array(list(measure(text).values()))


class StandIn:
    """A policy that sees what somebody likes, and writes it; nobody in particular gets a style by prompt.

    Its latent is the mean difference of levels, chosen less rejected: 2 on an attribute that always decides.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[object, object]] = []

    @classmethod
    def from_pretrained(cls, folder: Path, trust_remote_code: bool = False) -> "StandIn":
        return Blind() if "pooled" in str(folder) else cls()

    def to(self, device: torch.device) -> "StandIn":
        return self

    def for_users(self, choices_of_each):
        return [self.with_latent(self.latent(choices)) for choices in choices_of_each]

    def latent(self, choices) -> torch.Tensor:
        differences = [
            levels_of(choice.options[best]) - levels_of(choice.options[1 - best])
            for choice in choices
            for best in [choice.outcome.index]
        ]
        return torch.from_numpy(np.mean(differences, 0) if differences else np.zeros(5))

    def with_latent(self, z: torch.Tensor):
        return SimpleNamespace(model=self, belief=Belief.point(z[None]))

    def generate(self, people, prompts, batch_size, progress, **options):
        self.asked += list(zip(people, prompts, strict=True))
        return [self.answer(*asked) for asked in zip(people, prompts, strict=True)]

    def answer(self, person, prompt: str) -> str:
        number = stable_hash(prompt)
        habit = np.array([1 if number >> bit & 1 else -1 for bit in range(5)])
        liked = np.zeros(5) if person is None else person.belief.mean[0].numpy()
        style = np.where(np.abs(liked) > 0.8, np.sign(liked), habit).astype(int)
        return compose(0, style, seed=0, index=number % 1000)

    def score_batch(self, people, prompts, responses):
        return [
            SimpleNamespace(reward=np.array([levels_of(r) @ person.belief.mean[0].numpy() for r in each]))
            for person, each in zip(people, responses, strict=True)
        ]


class Blind(StandIn):
    """Pooled: reads nobody's choices."""

    def latent(self, choices) -> torch.Tensor:
        return torch.zeros(5, dtype=torch.float64)


def cells(metric: str, value, group, size: int = 8, weight=None, seed: int = 0) -> GridNumbers:
    """Numbers of as many people, each of a prompt of their own."""
    n = np.arange(len(value))
    weights = np.ones(len(n)) if weight is None else np.array(weight, float)
    groups = np.array(group, object)
    return GridNumbers(metric, size, np.array(value, float), n, n, groups, n * 0 + seed, weights)
