"""The `fsa` command of this checkout, as a module: `python -m tests.faults.fsa_command`."""

import importlib
import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["fsa"].partition(":")
    getattr(importlib.import_module(module), function)()
