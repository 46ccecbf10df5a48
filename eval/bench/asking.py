"""What it costs to find the next question, and to take an answer in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from eval.bench.figures import Figure, seconds
from fsa.encoders.taste_posterior import TastePosterior
from fsa.features.extractor import FeatureExtractor
from fsa.features.projection import Projection
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.label_noise import LabelNoise
from fsa.models.taste_reward import TasteReward
from fsa.outputs.reward_model import FORMAT, RewardModel
from fsa.recipes.configured import preset
from fsa.runs.safe_yaml import read_mapping
from fsa.types import Numbers, Text

_WIDTH, _KNOWN, _RESPONSES = 384, 10, 400
_UPDATES = 10  # in a row: one alone is too short to time


class Computed(FeatureExtractor):
    """Features that are there already: a row for each text.

    Args:
        rows: Features by text.
    """

    def __init__(self, rows: Mapping[str, Float32[np.ndarray, " d"]]) -> None:
        self.rows = rows

    @property
    def fingerprint(self) -> str:
        return "computed"

    @property
    def width(self) -> int:
        return _WIDTH

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        return np.stack([self.rows[str(response)] for response in responses])


def question_speed(pairs: int = 10_000, repetitions: int = 5) -> list[Figure]:
    """Milliseconds to rank candidate pairs for one person, and to read them with one more choice.

    Features are there already; the model is the default's, with random weights.

    Args:
        pairs: Candidate pairs, of 400 responses.
        repetitions: How often, after one that warms up.
    """
    draw = np.random.default_rng(0)
    texts = [f"response {i}" for i in range(_RESPONSES)]
    model = _model({text: draw.normal(size=_WIDTH).astype(np.float32) for text in texts})
    choices = [_choice(texts[2 * i], texts[2 * i + 1]) for i in range(_KNOWN)]
    person = model.for_user(choices)
    both = [draw.choice(_RESPONSES, 2, replace=False) for _ in range(pairs)]
    asked = [("prompt", texts[i], texts[j]) for i, j in both]
    more = _choice(texts[-1], texts[-2])
    ranked, updated = [], []
    for _ in range(repetitions + 1):
        ranked.append(1e3 * seconds(lambda: person.next_question(asked)))
        updated.append(1e3 * seconds(lambda: [person.update(more) for _ in range(_UPDATES)]) / _UPDATES)
    return [
        Figure("question_ms", f"next of {pairs:,} questions, ms", ranked[1:], at_most=100),
        Figure("update_ms", f"a person of {_KNOWN} choices read with one more, ms", updated[1:], at_most=5),
    ]


def _choice(chosen: str, rejected: str) -> dict[str, Any]:
    return {"prompt": "prompt", "chosen": chosen, "rejected": rejected}


def default_config() -> dict[str, Any]:
    """`configs/reward/default.yaml` as it is written."""
    return dict(read_mapping(preset("reward/default")))


def default_parts(width: int) -> tuple[TastePosterior, TasteReward]:
    """Encoder and scorer of `configs/reward/default.yaml` over so many features, with random weights."""
    config = default_config()
    d_belief, of_encoder = config["d_belief"], config["encoder"]["init_args"]
    return TastePosterior(width, d_belief, **of_encoder), TasteReward(width, d_belief)


def _model(rows: Mapping[str, Float32[np.ndarray, " d"]]) -> RewardModel:
    """The default's parts over features that are there already."""
    projection = Projection(num_components=None, extras=[]).fit(np.stack(list(rows.values())), list(rows))
    encoder, scorer = default_parts(_WIDTH)
    config = {"format": FORMAT, "d_feature": _WIDTH, "d_belief": encoder.place.shape[1], "num_samples": 16}
    return RewardModel.from_parts(
        config,
        projection,
        encoder=encoder,
        scorer=scorer,
        likelihood=LabelNoise(BradleyTerryLuce(), learn=True),
        features=Computed(rows),
    )
