"""The `fsa` command."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

from jsonargparse import auto_cli

from fsa.cli.adapter import adapter
from fsa.cli.ending import ending_well
from fsa.cli.generate import generate
from fsa.cli.judge import judge
from fsa.cli.keys import keys
from fsa.cli.recipes import CommandLine, plain_arguments
from fsa.cli.score import score
from fsa.cli.serve import serve


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
    ending_well(
        lambda: auto_cli(
            commands, as_positional=False, args=plain_arguments(arguments), parser_class=CommandLine
        )
    )


if __name__ == "__main__":
    main()
