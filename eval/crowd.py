"""People without groups, one prompt, shared texts: `python -m eval.crowd` writes a file, trains, measures.

The stand-in for a file of real users where none can be had: no user has a group, every user's taste is their
own, all answer one prompt, and texts recur between people. It is read by the same JSONL reader.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from rich.console import Console

from fsa.choices.sandbox_text.composing import ask, compose
from fsa.cli.lines import as_lines
from fsa.cli.recipes import run_recipe
from fsa.recipes.evaluate import context_curve
from fsa.recipes.reward import train_reward
from fsa.seeding import integers, uniform


def crowd(
    out: str = "runs/crowd",
    num_users: int = 3000,
    choices_per_user: int = 60,
    num_texts: int = 400,
    seed: int = 0,
) -> None:
    """Write a JSONL of users without groups, train `configs/reward/choices.yaml` on it, and measure.

    Args:
        out: Folder of the file and the run.
        num_users: People.
        choices_per_user: Mean choices of a person; each has between a third of it and five thirds.
        num_texts: Different responses, all to one prompt.
        seed: Of texts, tastes and choices.
    """
    console, folder = Console(), Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "choices.jsonl"
    num_choices = write_choices(file, num_users, choices_per_user, num_texts, seed)
    console.print(f"{file}: {num_choices:,} choices of {num_users:,} people over {num_texts} texts")

    config = ["--config", "configs/reward/choices.yaml", "--source.path", str(file), "--overwrite", "true"]
    started = time.monotonic()
    run_recipe(train_reward, [*config, "--out", str(folder / "np")])
    pooled = ["--config", "configs/baseline/pooled.yaml", "--out", str(folder / "pooled")]
    run_recipe(train_reward, [*config, *pooled])
    trained = time.monotonic()
    context_curve([f"NP-BTL={folder / 'np'}", f"pooled={folder / 'pooled'}"], out=str(folder))
    measured = time.monotonic()
    console.print(
        f"{trained - started:.0f} s to train NP-BTL and pooled, {measured - trained:.0f} s to measure them"
        " (features included where they were not kept from before)"
    )


def write_choices(file: Path, num_users: int, choices_per_user: int, num_texts: int, seed: int) -> int:
    """Write the records; returns how many there are."""
    prompt, number = ask(0, 0, 0), np.arange(num_texts)
    levels = np.where(uniform(seed, 0, number[:, None], np.arange(5)) < 0.5, -1, 1)
    texts = [compose(0, levels[i], seed, i) for i in range(num_texts)]
    kept = [i for i, text in enumerate(texts) if texts.index(text) == i]  # a text is offered once
    user = np.arange(num_users)
    weights = np.sqrt(-2 * np.log1p(-uniform(seed, 1, user[:, None], np.arange(5))))
    weights *= np.cos(2 * np.pi * uniform(seed, 2, user[:, None], np.arange(5)))  # standard normal
    lowest = choices_per_user // 3
    count = lowest + integers(2 * (choices_per_user - lowest) + 1, seed, 3, user)
    with file.open("w", encoding="utf-8") as stream:
        for u in user:
            turn = np.arange(count[u])
            first = integers(len(kept), seed, 4, u, turn)
            second = (first + 1 + integers(len(kept) - 1, seed, 5, u, turn)) % len(kept)
            pair = np.array(kept)[np.stack([first, second], 1)]
            gap = (levels[pair[:, 0]] - levels[pair[:, 1]]) @ weights[u]
            chosen = (uniform(seed, 6, u, turn) > 1 / (1 + np.exp(-gap))).astype(int)
            records = (
                {
                    "user": f"person-{u}",
                    "prompt": prompt,
                    "options": [texts[a], texts[b]],
                    "chosen": c,
                }
                for (a, b), c in zip(pair.tolist(), chosen.tolist(), strict=True)
            )
            stream.write(as_lines(records))
    return int(count.sum())


if __name__ == "__main__":
    run_recipe(crowd)
