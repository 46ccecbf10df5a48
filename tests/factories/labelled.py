"""Labelled probes of made-up words, for judges that are fitted."""

import numpy as np

from fsa.judge.labelled import key_of
from fsa.judge.scores import AttributeScores, Labelled, Probe


def made_up(count: int, responses: int = 2, seed: int = 0) -> list[Labelled]:
    """Responses of 1 to 40 words; "long" grows with their number, "short" falls."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(count):
        words = generator.integers(1, 41, responses)
        texts = tuple(" ".join(["w1"] * int(n)) + f" w{number % 60}" for n in words)
        long = np.log(words) / np.log(40)
        labels = AttributeScores(("long", "short"), np.stack([long, 1 - long], 1))
        prompt = f"w{number % 60} w{number // 60}"
        found.append(Labelled(Probe(key_of(prompt, texts), prompt, texts), labels))
    return found
