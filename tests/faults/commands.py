"""Commands as a person types them, run in this process, whose imports take seconds."""

import contextlib
import importlib
import io
import json
import os
import runpy
import subprocess
import sys
import tomllib
import traceback
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "reward" / "choices.yaml"


@dataclass
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def is_traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.err

    def refused(self, *named: str) -> None:
        """Assert that it ended with one line of error that names something, and no traceback."""
        assert not self.is_traceback, self.err[-1500:]
        assert self.code in (1, 2), (self.code, self.out[-300:], self.err[-800:])
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err[-1500:]
        for name in named:
            assert name.lower() in lines[0].lower(), lines[0]

    def went_well(self) -> "Ended":
        assert self.code == 0, (self.code, self.err[-1500:])
        return self


def command(*arguments: Any, **environment: str) -> Ended:
    """`fsa ...` or `MODULE ...` (for `python -m MODULE ...`), with these variables set."""
    name, *rest = map(str, arguments)
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _set(environment),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("always")
        # Of this process alone: another test has imported the module that is run.
        warnings.filterwarnings("ignore", ".* found in sys.modules after import", RuntimeWarning)
        warnings.showwarning = lambda message, kind, *_, **__: err.write(f"{kind.__name__}: {message}\n")
        argv, sys.argv = sys.argv, [name, *rest]
        try:
            code = _run(name)
        finally:
            sys.argv = argv
    return Ended(code, out.buffer.getvalue().decode("utf-8", "replace"), err.getvalue())


def _run(name: str) -> int:
    try:
        if name == "fsa":
            scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
            module, _, function = scripts["fsa"].partition(":")
            getattr(importlib.import_module(module), function)()
        else:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


@contextlib.contextmanager
def _set(variables: dict[str, str]) -> Any:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def process(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
    """`python -m MODULE ...` as a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **options.pop("environment", {})}
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options,
    )  # fmt: skip


def lines(path: Path, rows: Iterable[Any]) -> Path:
    """A JSONL file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def train(out: Path, choices: Path, *more: Any) -> Ended:
    """A run on two numbers an option, of 20 steps where nothing else is said."""
    return command(
        "train.reward", "--config", CONFIG, "--source.path", choices,
        "--features.class_path", "fsa.features.numeric.Numeric", "--features.width", "2",
        "--projection.num_components", "null", "--projection.extras", "[]",
        "--loop.max_steps", "20", "--loop.validate_every", "10", "--loop.progress", "false",
        "--loop.accelerator", "cpu", "--loop.devices", "1", "--episodes.validation_episodes", "30",
        "--out", out, *more,
    )  # fmt: skip


def score(run: Any, choices: Path, candidates: Path, *more: Any, **environment: str) -> Ended:
    """`fsa score`."""
    given = ["score", "--model", run, "--choices", choices, "--candidates", candidates]
    return command("fsa", *given, *more, **environment)


def adapter(policy: Path, choices: Path, out: Path) -> Ended:
    """`fsa adapter`."""
    return command("fsa", "adapter", "--model", policy, "--choices", choices, "--out", out)
