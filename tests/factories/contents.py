"""Made-up people by a rule that the sandbox does not know: `python -m tests.factories.contents FILE`.

Each wants one of five things in an answer: an example, a number, a warning, a question or praise.
"""

from __future__ import annotations

import json
import random
import sys
from itertools import product
from pathlib import Path

_DOING = ["choose", "repair", "clean", "store", "plan", "price", "paint", "move", "share", "sell"]
_WHAT = [
    "a bicycle",
    "a garden shed",
    "old photographs",
    "a small kitchen",
    "winter boots",
    "a wooden table",
    "a family dinner",
    "a sewing machine",
    "tomato plants",
    "a second-hand car",
    "a fish tank",
    "a violin",
    "train tickets",
    "a roof gutter",
    "garden tools",
]
_CORE = (
    "You can {} with a little patience.",
    "Most people find it easy to {}.",
    "It takes an afternoon to {}.",
    "Start early when you want to {}.",
)
_PARTS = {
    "example": (
        "For example, my neighbour did it with borrowed things last spring.",
        "A friend of mine, for instance, began with the cheapest parts.",
        "Take my aunt: she did it twice in one week.",
    ),
    "number": (
        "It costs about 40 euros and takes 90 minutes.",
        "In 7 of 10 cases it is done within 3 hours.",
        "Expect 12 to 15 steps, and roughly 2 kilos of material.",
    ),
    "warning": (
        "Be careful, it can be dangerous if you hurry.",
        "Never do it alone, accidents happen quickly.",
        "Watch out for sharp edges and wear gloves.",
    ),
    "question": (
        "What have you tried so far?",
        "How much time do you have, and who could help you?",
        "Which part worries you most?",
    ),
    "praise": (
        "You are clearly a thoughtful person, well done!",
        "I admire that you take this on, great idea!",
        "What a wonderful plan, you will be proud!",
    ),
}
TASTES = tuple(_PARTS)


def contents(
    people: int = 200,
    prompts: int = 150,
    choices: int = 40,
    noise: float = 0.1,
    seed: int = 0,
    tastes: tuple[str, ...] = TASTES,
) -> list[dict[str, object]]:
    """Rows of choices; people take turns among the tastes, which are their groups.

    Args:
        people: How many.
        prompts: Prompts, at most 150, each with six answers.
        choices: Of each person, a prompt each.
        noise: Share of choices that are turned round.
        seed: Of everything drawn.
        tastes: Those that there are; one makes all people alike.
    """
    draw = random.Random(seed)
    asked = draw.sample([" ".join(pair) for pair in product(_DOING, _WHAT)], prompts)
    answers = {prompt: [_answer(prompt, draw) for _ in range(6)] for prompt in asked}
    rows: list[dict[str, object]] = []
    for person in range(people):
        taste = tastes[person % len(tastes)]
        for prompt in draw.sample(asked, choices):
            pairs = [
                (with_it, without)
                for with_it, without in product(answers[prompt], repeat=2)
                if taste in with_it[1] and taste not in without[1]
            ]
            options = [text for text, _ in draw.choice(pairs or [draw.sample(answers[prompt], 2)])]
            chosen = int(draw.random() < noise)
            if draw.random() < 0.5:
                options, chosen = options[::-1], 1 - chosen
            row = {"user": f"p{person:03}", "prompt": f"How do I {prompt}?", "options": options}
            rows.append({**row, "chosen": chosen, "group": taste})
    return rows


def _answer(prompt: str, draw: random.Random) -> tuple[str, frozenset[str]]:
    """A text, and what it holds."""
    held = [name for name in TASTES if draw.random() < 0.5]
    parts = [draw.choice(_PARTS[name]) for name in held]
    draw.shuffle(parts)
    return " ".join([draw.choice(_CORE).format(prompt), *parts]), frozenset(held)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("".join(json.dumps(row) + "\n" for row in contents()))
