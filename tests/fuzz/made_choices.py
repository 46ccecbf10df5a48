"""Sound records of choices, to be damaged."""

from random import Random
from typing import Any

WORDS = ["tea", "milk", "rain", "sun", "a long walk", "sleep", "žluťoučký", "犬", "no", "yes, please"]


def text_record(draw: Random, user: str, prompt: str) -> dict[str, Any]:
    """A record of texts or chats, in any form that there is."""
    options: list[Any] = draw.sample(WORDS, draw.choice([2, 2, 3, 5]))
    if draw.random() < 0.2:
        options = [[{"role": "assistant", "content": text}] for text in options]
    asked: Any = prompt if draw.random() < 0.8 else [{"role": "user", "content": prompt}]
    record: dict[str, Any] = {"user": user, "prompt": asked}
    form = draw.choice(["pick", "pick", "tie", "ranking", "trl"])
    if form == "trl":
        record |= {"chosen": options[0], "rejected": options[1]}
    elif form == "ranking":
        order = draw.sample(range(len(options)), draw.randrange(1, len(options) + 1))
        record |= {"options": options, "ranking": order}
    else:
        record |= {"options": options, "chosen": "tie" if form == "tie" else draw.randrange(len(options))}
    if draw.random() < 0.3:
        record["group"] = draw.choice(["g", "h", ""])
    if draw.random() < 0.3:
        record["split"] = draw.choice(["train", "validation", "test"])
    return record


def number_record(draw: Random, user: str, width: int = 2) -> dict[str, Any]:
    """A record of numbers."""
    options = [[round(draw.gauss(0, 1), 3) for _ in range(width)] for _ in range(draw.choice([2, 2, 3]))]
    record = {"user": user, "options": options, "chosen": draw.randrange(len(options))}
    return record if draw.random() < 0.5 else {**record, "prompt": "p"}


def records(draw: Random, count: int) -> list[dict[str, Any]]:
    """Sound records of one kind."""
    are_numbers = draw.random() < 0.3
    made = []
    for i in range(count):
        user = draw.choice(["ann", "bob", "cyd"])
        made.append(number_record(draw, user) if are_numbers else text_record(draw, user, f"What now, {i}?"))
    return made
