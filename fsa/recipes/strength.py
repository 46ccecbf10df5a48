"""How far a trained policy goes from its reference: `python -m train.strength --run runs/policy`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from fsa.errors import ConfigError
from fsa.files import only_writer
from fsa.models.language_scorer import LanguageScorer
from fsa.recipes.calibration import of_each_person
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.runs import Run, Settings, opened
from fsa.runs.folder import CONFIG_YAML, META, read_json, read_yaml, write_json
from fsa.settings import Range

STRENGTHS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
KEY = "strength"
"""Of what was found, in a run's meta.json."""


@dataclass(frozen=True)
class StrengthSearch:
    """What validation choices say of each strength.

    Attributes:
        strengths: Ascending multiples of what was trained [s].
        nll: Mean over people, in nats a choice [s].
        behind: Mean over people of the difference to the best, in nats [s].
        error: Standard error of that difference over people [s].
        num_people: People.
    """

    strengths: tuple[float, ...]
    nll: tuple[float, ...]
    behind: tuple[float, ...]
    error: tuple[float, ...]
    num_people: int

    @classmethod
    def of(cls, predicted: Mapping[float, Predictions]) -> StrengthSearch:
        """From predictions of the same choices at each strength; a person's choices count as one number."""
        strengths = tuple(sorted(predicted))
        each = (predicted[one] for one in strengths)
        by_person = np.stack([of_each_person(one.user, one.nll) for one in each])  # [s, people]
        means = by_person.mean(1)
        behind = by_person - by_person[means.argmin()]
        n = behind.shape[1]
        error = behind.std(1, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(len(strengths))
        nll, gap, doubt = (tuple(map(float, each)) for each in (means, behind.mean(1), error))
        return cls(strengths, nll, gap, doubt, n)

    @property
    def taken(self) -> float:
        """The smallest strength that is behind the best by no more than one standard error of that.

        Strength is what steering costs: beyond what choices can tell apart, less of it is better.

        Reference:
            [Breiman1984] Classification and Regression Trees, Sec. 3.4.3: the 1 SE rule.
        """
        pairs = zip(self.strengths, self.behind, self.error, strict=True)
        return next(strength for strength, behind, error in pairs if behind <= error)

    def to_json(self) -> dict[str, Any]:
        """As meta.json has it."""
        columns = zip(self.strengths, self.nll, self.behind, self.error, strict=True)
        return {
            "taken": self.taken,
            "people": self.num_people,
            "tried": [
                {
                    "strength": strength,
                    "nll": round(nll, 5),
                    "behind": round(behind, 5),
                    "error": round(error, 5),
                }
                for strength, nll, behind, error in columns
            ],
        }


def fit_strength(
    run: str,
    strengths: list[float] = list(STRENGTHS),  # noqa: B006 (never changed; jsonargparse shows it)
    episodes: int = 120,
    trust_remote_code: bool = False,
) -> StrengthSearch:
    """Choose on validation choices how far a trained policy goes from its reference; its run keeps it.

    Few steps at a rate that does not break a model tell people apart long before they move it. Here the
    change of weights is scaled as a whole, so that gains, rewards, answers and exported adapters follow. The
    weights are written anew and meta.json says what was tried; 1 leaves the weights as they are.

    Args:
        run: Run folder of a policy. The largest of its validation's context sizes is used.
        strengths: Multiples of what was trained, > 0; without 1 it is tried too.
        episodes: Validation choices to predict; people take turns.
        trust_remote_code: Run parts of the run that are not fsa's own.

    Raises:
        ConfigError: A strength was chosen for this run before, the run is no policy or its conditioning no
            LoRA gain, or there are no validation choices.
        OutputError: Another process writes the folder.
    """
    Range(above=0, at_most=1000).check("strengths", strengths)
    folder, console = Path(run), Console(stderr=True)
    with only_writer(folder):
        meta = read_json(folder / META)
        if KEY in meta:
            raise ConfigError(
                f"{folder}: strength {meta[KEY]['taken']:g} was chosen before, and its weights are scaled"
            )
        drawn = read_yaml(folder / CONFIG_YAML)["episodes"]
        size = max(drawn.get("init_args", drawn)["context_sizes"])
        at = opened(folder, Settings([size], "validation", episodes, 1, 1, trust_remote_code), {})
        if not isinstance(at.model.scorer, LanguageScorer):
            raise ConfigError(f"{folder}: is no policy; only what steers a language model has a strength")
        found = search(at, size, strengths, console)
        if found.taken != 1:
            at.model.scorer.language_model.scale(found.taken)
            at.model.save_pretrained(folder)
        write_json(folder / META, {**meta, KEY: {**found.to_json(), "command": " ".join(sys.argv)}})
    console.print(f"{folder}: strength {found.taken:g} of {', '.join(f'{one:g}' for one in found.strengths)}")
    return found


def search(at: Run, size: int, strengths: Sequence[float], console: Console | None = None) -> StrengthSearch:
    """Predict the same choices at each strength; the model ends as it was, to the bit."""
    assert isinstance(at.model.scorer, LanguageScorer), "the caller looked"
    model, at = at.model.scorer.language_model, _of_its_group(at)
    model.scale(1)  # stops here where its conditioning has no strength
    trained = {name: up.detach().clone() for name, (_, up) in model.adapters().items()}

    def predicted(strength: float) -> Predictions:
        model.scale(strength)
        try:
            return at.predict(size, flip=False)
        finally:
            with torch.no_grad():
                for name, (_, up) in model.adapters().items():
                    up.copy_(trained[name])

    tried = track(sorted({1.0, *strengths}), "Strength", console=console, disable=not console)
    return StrengthSearch.of({strength: predicted(strength) for strength in tried})


def _of_its_group(at: Run) -> Run:
    """A dedicated model with the episodes of its own group alone: it predicts no others."""
    if at.only_group is None:
        return at
    table, episodes = at.at.table, at.at.episodes
    number = table.groups.index(at.only_group).as_py()
    its = (table.group[np.maximum(episodes.target, 0)] == number).any(1)
    if not its.any():
        raise ConfigError(
            f"none of {len(its)} validation episodes is of group {at.only_group!r}, which this policy was "
            f"trained on: give more --episodes"
        )
    return replace(at, at=replace(at.at, episodes=episodes.part(np.flatnonzero(its))))
