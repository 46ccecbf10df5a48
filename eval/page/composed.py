"""`composed`: candidates for the page, of the sandbox's sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fsa.choices.sandbox_text.composing import ask, compose
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.sandbox_text.wordings import ATTRIBUTES

_PROMPTS, _RESPONSES = 14, 6
_SEED = 29  # no text of the demo's training is composed with it
_NAMES = {"tone": "cheer", "structure": "lists"}  # what more of an attribute is, where its name does not say


def composed(prompts: int = _PROMPTS, responses: int = _RESPONSES) -> Iterator[dict[str, Any]]:
    """Candidates of the sandbox, with the levels of their attributes; no two to a prompt of one style."""
    styles = np.array(np.meshgrid(*[(-1, 1)] * len(ATTRIBUTES))).reshape(len(ATTRIBUTES), -1).T
    for topic in range(prompts):
        drawn = np.random.default_rng([_SEED, topic]).permutation(styles)[:responses]
        for place, levels in enumerate(drawn):
            response = compose(topic, levels, _SEED, topic * responses + place)
            found = {_NAMES.get(name, name): level for name, level in measure(response).items()}
            yield {"prompt": ask(topic, 0), "response": response, "levels": found}
