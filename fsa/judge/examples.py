"""`SimilarExamples`: labelled responses to show a judge, one for each score level, nearest the probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from fsa.errors import ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.features.hidden_state import HiddenState
from fsa.features.rendering import plain
from fsa.judge.scores import Labelled
from fsa.types import Text

_WORDS = ("very little of it", "little of it", "some of it", "much of it", "very much of it")
_DIGITS = 6  # levels that differ beyond are one level


@dataclass(frozen=True)
class Example:
    """A labelled prompt to show, for one attribute.

    Attributes:
        prompt: What the responses respond to.
        responses: As the labels know them.
        scores: Of each response, 0 to 1.
        reasonings: Why, a sentence for each response.
        shows: Place of the response that has the level wanted.
    """

    prompt: str
    responses: tuple[str, ...]
    scores: tuple[float, ...]
    reasonings: tuple[str, ...]
    shows: int


class SimilarExamples:
    """For each level of an attribute, the labelled prompt most like the probe's among those that show it.

    Prompts are alike by the cosine of their embeddings, which are computed once and kept on disk. A prompt
    equal to the probe's own is never shown: its labels are the answer.

    Args:
        embedder: Turns a text into a vector; MiniLM where None. It should read the response alone.
        levels: Most examples a probe; the levels kept are spread evenly from lowest to highest. None: all.

    Raises:
        ConfigError: `levels` is below 1.
    """

    def __init__(self, embedder: FeatureExtractor | None = None, levels: int | None = None) -> None:
        if levels is not None and levels < 1:
            raise ConfigError(f"levels must be 1 or more, or None for all there are, came {levels}")
        self.levels = levels
        self.embedder = embedder or HiddenState("minilm", reads="response")
        self._labelled: Sequence[Labelled] = ()
        self._prompts: list[str] = []
        self._vectors: Float32[np.ndarray, "e d"] | None = None

    def learn(self, labelled: Sequence[Labelled], progress: bool = False) -> None:
        """Take in what may be shown.

        Raises:
            ConfigError: There is none.
        """
        if not labelled:
            raise ConfigError("examples come from labelled probes, came none")
        self._labelled = labelled
        self._prompts = [plain(each.probe.prompt) for each in labelled]
        self._vectors = self._embed(self._prompts, progress)

    def near(self, prompts: Sequence[Text], attribute: str) -> list[list[Example]]:
        """Examples for each prompt, one a level, least like it first.

        Raises:
            ConfigError: Nothing was learned, or it has no scores for the attribute.
        """
        if self._vectors is None:
            raise ConfigError("a few-shot judge needs examples; call learn with labelled probes first")
        scores = [np.round(each.labels.column(attribute), _DIGITS) for each in self._labelled]
        there = sorted({float(level) for each in scores for level in each})
        kept = np.linspace(0, len(there) - 1, min(self.levels or len(there), len(there)))
        levels = [there[round(place)] for place in kept]
        texts = [plain(prompt) for prompt in prompts]
        likeness = self._embed(texts) @ self._vectors.T  # [prompts, examples]
        places = [self._one_a_level(*each, scores, levels) for each in zip(texts, likeness, strict=True)]
        return [[self._example(*pair, attribute) for pair in row] for row in places]

    def _one_a_level(
        self,
        prompt: str,
        likeness: Float32[np.ndarray, " e"],
        scores: Sequence[Float[np.ndarray, " k"]],
        levels: Sequence[float],
    ) -> list[tuple[int, int]]:
        """Places of examples, and of the response in each that has the level."""
        ranked = [int(place) for place in np.argsort(-likeness, kind="stable")]
        ranked = [place for place in ranked if self._prompts[place] != prompt]
        taken: dict[int, int] = {}
        for level in levels:
            for place in ranked:
                shows = np.flatnonzero(scores[place] == level)
                if place not in taken and len(shows):
                    taken[place] = int(shows[0])
                    break
        # The nearest stands last, right before the question.
        return [(place, taken[place]) for place in sorted(taken, key=ranked.index, reverse=True)]

    def _example(self, place: int, shows: int, attribute: str) -> Example:
        probe, labels = self._labelled[place].probe, self._labelled[place].labels
        scores, column = labels.column(attribute), labels.attributes.index(attribute)
        given = labels.reasoning or [(None,) * len(labels.attributes)] * len(scores)
        reasonings = [
            row[column] or f"The response has {_WORDS[round(score * (len(_WORDS) - 1))]}."
            for row, score in zip(given, scores, strict=True)
        ]
        responses = tuple(plain(response) for response in probe.responses)
        return Example(
            self._prompts[place], responses, tuple(float(s) for s in scores), tuple(reasonings), shows
        )

    def _embed(self, texts: Sequence[str], progress: bool = False) -> Float32[np.ndarray, "m d"]:
        """Unit vectors."""
        vectors = self.embedder.extract([""] * len(texts), texts, progress)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
