"""The `fsa` command: finds the command that was asked for, and loads no other."""

from __future__ import annotations

import argparse
import sys
from pkgutil import resolve_name
from typing import Any, NoReturn

import fsa
from fsa.cli.ending import ending_well, one_line

# Each is the function of its own name in the module of its name (a word of Python's has a _ behind it there);
# the sentence is what `fsa --help` says.
COMMANDS = {
    "score": "Score candidate responses for one or many people.",
    "generate": "Write answers as people like them, with a policy.",
    "adapter": "Write one person's policy as a plain LoRA adapter.",
    "ask": "Ask a person in the terminal what says most about them.",
    "import": "Choices from the export of another tool.",
    "judge": "Choose by a target, or by choices that reveal one.",
    "serve": "Serve a model over HTTP until told to stop.",
    "keys": "Make, list and revoke keys of a server.",
}
# What trains and measures, and where it is.
RECIPES = {
    "fit": ("fsa.recipes.fit:fit", "Train a reward model on a file of choices."),
    "evaluate": ("fsa.recipes.evaluate:context_curve", "Accuracy by choices seen of trained runs."),
    "train reward": ("fsa.recipes.reward:train_reward", "Train a reward model, every setting open."),
    "train policy": ("fsa.recipes.policy:train_policy", "Train a policy that choices steer."),
    "train strength": ("fsa.recipes.strength:fit_strength", "Choose how far a trained policy goes."),
    "train sft": ("fsa.recipes.sft:train_sft", "Train a language model on responses."),
}
_IMPORT = "import"  # its options depend on the tool whose export it reads
_FIRST = {"fit": "--data", "evaluate": "--run"}  # option that the words right after the command are for
_REPEATABLE = ("run", "presets", "settings")


def main() -> None:
    """Run the command that the command line names."""
    arguments = sys.argv[1:]
    words = 2 if arguments[:1] == ["train"] else 1
    recipe = " ".join(arguments[:words])
    command = next((argument for argument in arguments if argument in COMMANDS), None)
    if recipe in RECIPES:
        ending_well(lambda: _run_recipe(recipe, arguments[words:]))
    elif recipe == _IMPORT:
        ending_well(lambda: resolve_name("fsa.cli.import_:import_")(arguments[1:]))
    elif command is None or arguments[0] in ("-h", "--help", "--version"):
        parser = _parser()
        parser.parse_args(arguments)  # ends here, with help, the version or what is wrong
        parser.error("a command is missing: one of " + ", ".join([*COMMANDS, *RECIPES]))
    else:
        ending_well(lambda: _run_command(command, arguments))


def _run_command(name: str, arguments: list[str]) -> None:
    run: Any = resolve_name("fsa.cli.recipes:run_commands")
    run({name: resolve_name(f"fsa.cli.{name}:{name}")}, arguments)


def _run_recipe(name: str, rest: list[str]) -> None:
    found: list[str] = []
    while name in _FIRST and rest and not rest[0].startswith("-"):
        found += [_FIRST[name], rest.pop(0)]
    run: Any = resolve_name("fsa.cli.recipes:run_recipe")
    run(resolve_name(RECIPES[name][0]), [*found, *rest], _REPEATABLE, f"fsa {name}")


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line, and where help is."""

    def error(self, message: str) -> NoReturn:
        print(one_line(f"error: {message} (see fsa --help)"), file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("fsa", description="People's reward models from a few of their choices.")
    parser.add_argument("--version", action="version", version=f"fsa {fsa.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", help="fsa COMMAND --help says more")
    for name, sentence in {**COMMANDS, **{name: said for name, (_, said) in RECIPES.items()}}.items():
        commands.add_parser(name, help=sentence, description=sentence)
    return parser


if __name__ == "__main__":
    main()
