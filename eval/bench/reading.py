"""Reading a JSONL file of choices, against `json.loads` of the same lines."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from eval.bench.figures import Figure
from fsa.choices.jsonl import Jsonl

_WORDS = 40  # words of a text


def reading_speed(num_choices: int = 50_000, repetitions: int = 5) -> list[Figure]:
    """Speed as a fraction of that of `json.loads`, whose objects are let go at once: 1 is as fast.

    Args:
        num_choices: Lines of the file, pairs of texts of which every tenth line has new ones.
        repetitions: Times that both are done, in turn, after a first one that is not counted.
    """
    lines = _lines(num_choices)
    ratios = []
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as folder:
        path = Path(folder) / "choices.jsonl"
        path.write_text("\n".join(lines))
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            for line in lines:
                json.loads(line)
            middle = time.perf_counter()
            Jsonl(str(path), cache=False).load()
            ratios.append((middle - start) / (time.perf_counter() - middle))
    words = f"{num_choices:,} choices: speed of reading JSONL, of json.loads"
    return [Figure("reading_speed", words, ratios[1:], at_least=1 / 3)]


def _lines(num_choices: int) -> list[str]:
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"word{i}" for i in range(500)])
    texts = [" ".join(words) for words in vocabulary[rng.integers(500, size=(num_choices // 5, _WORDS))]]
    pairs = rng.integers(len(texts) // 2, size=num_choices) * 2
    return [
        json.dumps(
            {
                "user": f"u{i // 10}",
                "prompt": "Which is better?",
                "options": texts[first : first + 2],
                "chosen": i % 2,
            }
        )
        for i, first in enumerate(pairs.tolist())
    ]
