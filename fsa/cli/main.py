"""The `fsa` command."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pkgutil import resolve_name
from typing import Any

from jsonargparse import auto_cli

from fsa.cli.adapter import adapter
from fsa.cli.ending import ending_well
from fsa.cli.generate import generate
from fsa.cli.judge import judge
from fsa.cli.keys import keys
from fsa.cli.recipes import CommandLine, plain_arguments, run_recipe
from fsa.cli.score import score
from fsa.cli.serve import serve

# What trains and measures; imported when it is asked for, because that takes seconds.
RECIPES = {
    "fit": "fsa.recipes.fit:fit",
    "evaluate": "fsa.recipes.evaluate:context_curve",
    "train reward": "fsa.recipes.reward:train_reward",
    "train policy": "fsa.recipes.policy:train_policy",
    "train sft": "fsa.recipes.sft:train_sft",
}
_FIRST = {"fit": "--data", "evaluate": "--run"}  # option that the words right after the command are for


def main() -> None:
    """The `fsa` command."""
    commands: dict[str, Any] = {
        "score": score,
        "generate": generate,
        "adapter": adapter,
        "judge": judge,
        "serve": serve,
        "keys": keys,
    }
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"fsa {version('fsa')}")
        return
    if recipe := _recipe(arguments):
        ending_well(lambda: run_recipe(*recipe))
        return
    if not arguments or arguments[0] not in commands:
        commands |= {"fit": resolve_name(RECIPES["fit"]), "evaluate": resolve_name(RECIPES["evaluate"])}
        names = (name.split()[-1] for name in RECIPES if name.startswith("train "))
        commands["train"] = {name: resolve_name(RECIPES[f"train {name}"]) for name in names}
    ending_well(
        lambda: auto_cli(
            commands, as_positional=False, args=plain_arguments(arguments), parser_class=CommandLine
        )
    )


def _recipe(arguments: list[str]) -> tuple[Any, list[str], list[str]] | None:
    """The recipe that is asked for, the rest of the command line, and its repeatable options."""
    words = 2 if arguments[:1] == ["train"] else 1
    name, rest = " ".join(arguments[:words]), list(arguments[words:])
    if name not in RECIPES:
        return None
    found: list[str] = []
    while name in _FIRST and rest and not rest[0].startswith("-"):
        found += [_FIRST[name], rest.pop(0)]
    return resolve_name(RECIPES[name]), [*found, *rest], ["run", "presets", "settings"]


if __name__ == "__main__":
    main()
