"""The `fsa` command."""

from __future__ import annotations

import sys
from typing import Any

from jsonargparse import auto_cli

from fsa.cli.adapter import adapter
from fsa.cli.generate import generate
from fsa.cli.judge import judge
from fsa.cli.keys import keys
from fsa.cli.recipes import plain_arguments
from fsa.cli.score import score
from fsa.cli.serve import serve
from fsa.errors import FsaError


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
    try:
        auto_cli(commands, as_positional=False, args=plain_arguments(sys.argv[1:]))
    except FsaError as error:
        sys.exit(f"error: {error}")
