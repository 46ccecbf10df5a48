"""Models and people to press a server with: options of numbers, and texts of 50 words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.bench.score import of_texts, random_model
from fsa.outputs.reward_model import RewardModel
from fsa.serve.store.database import migrate, open_database
from fsa.serve.store.people import PeopleStore

_CHOICES = 3  # of each person
_WORDS = (
    "the a of to in is that it for on with as was be by at from this have or one had not but what".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Load:
    """A model, a database of people, and what is asked of them.

    Attributes:
        kind: "numbers" or "minilm".
        model: Run folder.
        people: How many there are.
    """

    kind: str
    model: Path
    people: int

    @property
    def store(self) -> str:
        """URL of the database."""
        return f"sqlite:///{self.model / 'people.db'}"

    def bodies(self) -> Iterator[dict[str, Any]]:
        """Requests to score four options for one person, without end; texts never come twice.

        With texts fifty of the people ask, or reading all choices would be most of the work.
        """
        rng = np.random.default_rng(1)
        asking = self.people if self.kind == "numbers" else min(self.people, 50)
        while True:
            user = f"p{rng.integers(asking)}"
            yield {"user": user, "prompt": "Which?", "responses": _options(rng, self.kind, 4)}

    def expected(self, bodies: Sequence[dict[str, Any]]) -> list[np.ndarray]:
        """Rewards that the Python API gives."""
        rewards = RewardModel.from_pretrained(self.model)
        scored = []
        for body in bodies:
            person = rewards.for_user(choices_of(self.kind, int(body["user"][1:])))
            scored.append(np.asarray(person.score(body["prompt"], body["responses"]).reward))
        return scored


def save_load(folder: Path, kind: str, people: int) -> Load:
    """Write a model with random weights (it costs what a trained one costs) and its people."""
    load = Load(kind, folder, people)
    _model(kind).save_pretrained(folder)
    engine = open_database(load.store)
    migrate(engine)
    store = PeopleStore(engine)
    for number in range(people):
        store.add_choices(("default", f"p{number}"), choices_of(kind, number), "first")
    engine.dispose()
    return load


def choices_of(kind: str, person: int) -> list[dict[str, Any]]:
    """A person's choices."""
    rng = np.random.default_rng([2, person])
    prompt = {"prompt": "Which?"}
    return [{**prompt, "options": _options(rng, kind, 2), "chosen": 0} for _ in range(_CHOICES)]


def _options(rng: np.random.Generator, kind: str, count: int) -> list[Any]:
    if kind == "numbers":
        return rng.normal(size=(count, 8)).round(4).tolist()
    return [" ".join(rng.choice(_WORDS, 50)) for _ in range(count)]


def _model(kind: str) -> RewardModel:
    rng = np.random.default_rng(0)
    if kind == "numbers":
        features: dict[str, Any] = {"class_path": "fsa.features.numeric.Numeric", "init_args": {"width": 8}}
        components: int | None = None
        seen = rng.normal(size=(32, 8)).astype(np.float32)
        options: list[Any] = [tuple(row) for row in seen.tolist()]
    else:
        components, options = 16, _options(rng, kind, 40)
        features, seen = of_texts("minilm", options)
    return random_model(
        features,
        seen,
        options,
        encoder="fsa.encoders.particles.Particles",
        scorer="fsa.models.bilinear.Bilinear",
        projection={"num_components": components, "extras": []},
        spread=True,
    )
