"""The product in five minutes: `make demo`, or `python -m eval.demo`."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import fsa
from fsa.choices.sandbox_text.composing import ask, compose
from fsa.choices.simulation.tastes import POLE_NAMES
from fsa.cli.recipes import run_recipe
from fsa.recipes.evaluate import context_curve
from fsa.recipes.reward import train_reward
from train.reward import train_run

_CONFIG = ["--config", "configs/reward/sandbox.yaml"]


def demo(out: str = "runs/demo") -> None:
    """Train on the sandbox, compare with baselines and the Bayes limit, and score for one new person.

    Writes OUT/report.json, OUT/report.md and plots, the run itself in OUT, and its baselines beside it.

    Args:
        out: Run folder of the demo.
    """
    console, started = Console(), time.monotonic()
    folder = Path(out)
    baselines = folder.with_name(folder.name + "-baselines")

    console.rule("NP-BTL: learn from 360 people how people differ")
    train(folder)

    console.rule("Baselines: one model for everybody, and one dedicated to each kind of person")
    pooled = (*_CONFIG, "--config=configs/baseline/pooled.yaml")
    train_run(baselines / "pooled", *pooled)
    for kind in POLE_NAMES:
        dedicated = ("--config=configs/baseline/dedicated.yaml", f"--only-group={kind}")
        train_run(baselines / f"dedicated-{kind}", *pooled, *dedicated)

    console.rule("New people, new prompts")
    methods = [f"NP-BTL={folder}", f"pooled={baselines / 'pooled'}", f"dedicated={baselines / 'dedicated-*'}"]
    context_curve(methods, out=str(folder))

    console.rule("One new person, before and after their choices")
    one_person(fsa.RewardModel.from_pretrained(folder), console)
    console.print(
        f"\nReport: {folder}/report.md, report.json and plots. {time.monotonic() - started:.0f} s in all."
    )


def train(folder: Path) -> None:
    """Train NP-BTL on the sandbox."""
    run_recipe(train_reward, [*_CONFIG, "--out", str(folder), "--overwrite", "true"])


def one_person(rewards: fsa.RewardModel, console: Console) -> None:
    """Score four answers to one question for an unknown person, and for one after five choices."""
    choices = [_choice(topic) for topic in range(5)]
    before, after = rewards.for_user([]), rewards.for_user(choices)
    prompt = ask(20, 0, 0)
    styles = {"casual, short": (-1, 1, -1, -1, -1), "formal, short": (-1, -1, 1, -1, -1)}
    styles |= {"casual, long": (1, 1, -1, -1, 1), "formal, long": (1, -1, 1, -1, 1)}
    answers = [compose(20, np.array(levels), 7, 3) for levels in styles.values()]
    console.print("This person chose formal answers over casual ones, five times. For example:")
    console.print(f"  [green]chose[/]    {choices[0]['chosen'][:150]}...")
    console.print(f"  [red]rejected[/] {choices[0]['rejected'][:150]}...\n")
    table = Table("answer", "reward before", "reward after", title=prompt, title_justify="left")
    scored = [person.score(prompt, answers).reward for person in (before, after)]
    for i, style in enumerate(styles):
        table.add_row(f"({style}) {answers[i][:60]}...", f"{scored[0][i]:+.2f}", f"{scored[1][i]:+.2f}")
    console.print(table)
    odds = [person.prefers(prompt, answers[1], answers[0]) for person in (before, after)]
    console.print(
        f"Prefers the formal short answer to the casual short one: {odds[0]:.0%} before, {odds[1]:.0%} after."
    )


def _choice(topic: int) -> dict[str, str]:
    """A formal answer preferred to a casual one, other styles the same on both sides but for the first."""
    other = 1 if topic % 2 else -1
    formal, casual = np.array([other, other, 1, -1, other]), np.array([other, other, -1, -1, other])
    return {
        "prompt": ask(topic, 0, 0),
        "chosen": compose(topic, formal, 7, 0),
        "rejected": compose(topic, casual, 7, 1),
    }


if __name__ == "__main__":
    run_recipe(demo)
