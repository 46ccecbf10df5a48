"""People who want templated sentences long or short, loud or quiet, and a model that is trained on them."""

import json
import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.factories.runs import ROOT, train_small

_TOPICS = ["tea", "rain", "a cat", "the bus", "a violin", "soup", "winter", "a garden"]
_ADVICE = [
    "Take your time",
    "Begin with a plan",
    "Ask a friend",
    "Keep it simple",
    "Write down what you need",
    "Look at it twice",
]
TASTES = ("long", "short", "loud", "quiet")
TINY = {
    "features": "fsa.features.measured.Measured",
    "features.names": ["log_length", "log_exclamations"],
    "projection.num_components": "null",
    "encoder.components": 8,
    "encoder.units": 8,
    "splits.fractions": [0.7, 0.15, 0.15],
    "episodes.validation_episodes": 60,
    "loop.max_steps": 150,
    "loop.validate_every": 50,
    "loop.accelerator": "cpu",
    "loop.progress": False,
}


def response(long: bool, loud: bool, draw: random.Random) -> str:
    """A text of two sentences or six, which end in exclamation marks or in full stops."""
    advice = draw.sample(_ADVICE, len(_ADVICE) if long else 2)
    return " ".join(each + ("!" if loud else ".") for each in advice)


def liked(text: str, taste: str) -> float:
    """How much somebody of one of `TASTES` likes a text; larger is more."""
    of = len(text) if taste in ("long", "short") else text.count("!") / len(text)
    return of if taste in ("long", "loud") else -of


def candidates(prompts: int = 6, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Two responses of each of the four styles to every prompt, as lines of a file."""
    draw = random.Random(seed)
    for i in range(prompts):
        found = {response(*style, draw) for style in product([True, False], repeat=2) for _ in range(2)}
        for text in sorted(found):
            yield {"prompt": f"What do I do about {_TOPICS[i % len(_TOPICS)]}, number {i}?", "response": text}


def train_templated(folder: Path) -> Path:
    """A run folder, trained in a few seconds, with candidates.jsonl in it."""
    draw = random.Random(0)
    with (folder / "choices.jsonl").open("w") as file:
        for user in range(80):
            taste = TASTES[user % len(TASTES)]
            for i in range(20):
                # In three pairs of four the two differ in style; their words always do.
                styles = [(draw.random() < 0.5, draw.random() < 0.5) for _ in range(2)]
                options = [response(*styles[0], draw)]
                while len(set(options)) < 2:
                    options = [options[0], response(*styles[1], draw)]
                chosen = int(liked(options[1], taste) > liked(options[0], taste))
                row = {"user": f"u{user}", "prompt": f"Question {i % 10}?", "options": options}
                file.write(json.dumps({**row, "chosen": chosen}) + "\n")
    source = {"source.path": folder / "choices.jsonl"}
    run = train_small(folder / "run", config=ROOT / "configs" / "reward" / "choices.yaml", **TINY, **source)
    (run / "candidates.jsonl").write_text("".join(json.dumps(row) + "\n" for row in candidates()))
    return run
