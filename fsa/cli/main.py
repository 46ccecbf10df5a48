"""The `fsa` command: finds the command that was asked for, and loads no other."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any

import fsa
from fsa.cli.ending import ending_well

# Each is the function of its own name in the module of its name; the sentence is what `fsa --help` says.
COMMANDS = {
    "score": "Score candidate responses for one or many people.",
    "generate": "Write answers as people like them, with a policy.",
    "adapter": "Write one person's policy as a plain LoRA adapter.",
    "judge": "Choose by a target, or by choices that reveal one.",
    "serve": "Serve a model over HTTP until told to stop.",
    "keys": "Make, list and revoke keys of a server.",
}


def main() -> None:
    """Run the command that the command line names."""
    arguments = sys.argv[1:]
    named = next((argument for argument in arguments if argument in COMMANDS), None)
    if named is None or arguments[0] in ("-h", "--help", "--version"):
        _parser().parse_args(arguments)  # ends here, with help, the version or what is wrong
        _parser().error("a command is missing: one of " + ", ".join(COMMANDS))
    ending_well(lambda: _run(named, arguments))


def _run(name: str, arguments: list[str]) -> None:
    command_line: Any = import_module("fsa.cli.recipes")
    command = getattr(import_module(f"fsa.cli.{name}"), name)
    command_line.run_commands({name: command}, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("fsa", description="People's reward models from a few of their choices.")
    parser.add_argument("--version", action="version", version=f"fsa {fsa.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", help="fsa COMMAND --help says more")
    for name, sentence in COMMANDS.items():
        commands.add_parser(name, help=sentence, description=sentence)
    return parser


if __name__ == "__main__":
    main()
