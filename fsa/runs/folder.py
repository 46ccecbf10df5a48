"""Run folders: what training writes and everything else reads."""

from __future__ import annotations

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fsa.errors import CheckpointError, ConfigError, OutputError
from fsa.files import whole_file, write_whole
from fsa.runs.safe_yaml import read_mapping

CONFIG_YAML = "config.yaml"
CONFIG_JSON = "config.json"
WEIGHTS = "model.safetensors"
PROJECTION = "projection.safetensors"
META = "meta.json"
RUN = "run"  # in config.json and in the metadata of tensors: the name of the run that they are of


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that people can read; a crash leaves no half a file.

    Raises:
        OutputError: The file cannot be written.
        ValueError: A number is not finite, which JSON has no word for.
    """
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CheckpointError: There is no such file, or it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise CheckpointError(f"{path}: cannot be read: nested too deeply") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error


def write_yaml(path: Path, config: Mapping[str, Any], first_line: str = "") -> None:
    """Write a recipe's whole configuration, as its `--config` would read it; never half a file."""
    plain = json.loads(json.dumps(config))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    write_whole(path, f"{first_line}\n{text}" if first_line else text)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a recipe's configuration.

    Raises:
        CheckpointError: There is no such file, or it is no YAML.
    """
    try:
        return read_mapping(path)
    except ConfigError as error:
        raise CheckpointError(str(error)) from error


def about_this_run(module: str = "", /, **more: Any) -> dict[str, Any]:
    """What a reader needs to make a run again: versions, machine, commit, date, and the command.

    Args:
        module: What `python -m` runs in this process; "" leaves the command to `more`.
        more: Anything else that explains the numbers.
    """
    command = {"command": f"python -m {module} {shlex.join(sys.argv[1:])}".strip()} if module else {}
    packages = ("fsa", "torch", "lightning", "transformers", "peft", "datasets", "numpy", "safetensors")
    versions: dict[str, str] = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "versions": versions,
        **command,
        **more,
    }


def commit() -> str:
    """The commit of the package's work tree, with "+" if it was changed since; "" if there is none."""
    try:
        return _git("rev-parse", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    # Words of our own and no shell; git is wherever PATH has it.
    command = ["git", *words]
    done = subprocess.run(  # noqa: S603 # nosec B603
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def load_strictly(
    model: nn.Module, path: Path, resize_buffers: Callable[[Mapping[str, Tensor]], None] | None = None
) -> None:
    """Fill a model from a safetensors file that holds exactly its tensors.

    Args:
        model: What to fill.
        path: The file.
        resize_buffers: Is shown stored tensors that are not of the model's shapes first, so that those of the
            model that may have any length take theirs.

    Raises:
        CheckpointError: A tensor is missing, left over, not finite, or of another shape; each is named.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error
    if resize_buffers and _shapes(stored) != _shapes(model.state_dict()):
        resize_buffers(stored)
    check_tensors(path, stored, model.state_dict())
    model.load_state_dict(stored, strict=True)


def save_tensors(path: Path, tensors: Mapping[str, Tensor], run: str | None = None) -> None:
    """Write a safetensors file, whole or not at all, with the name of the run that its tensors are of.

    Raises:
        OutputError: The file cannot be written.
    """
    with whole_file(path) as unfinished:
        try:
            save_file(dict(tensors), unfinished, metadata={"format": "pt", **({RUN: run} if run else {})})
        except SafetensorError as error:
            raise OutputError(f"{path}: cannot be written: {error}") from error


def check_tensors(path: Path, stored: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse a file whose tensors are not exactly the wanted ones, by name, shape and kind of number."""
    problems = [f"{name} is missing" for name in sorted(wanted.keys() - stored.keys())]
    problems += [f"{name} is not part of this model" for name in sorted(stored.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & stored.keys()):
        if wanted[name].shape != stored[name].shape:
            problems.append(f"{name} is {list(stored[name].shape)}, should be {list(wanted[name].shape)}")
        elif not _is_same_kind(stored[name].dtype, wanted[name].dtype):
            problems.append(f"{name} is {stored[name].dtype}, should be {wanted[name].dtype} or like it")
        elif not stored[name].to(torch.float32).isfinite().all():
            problems.append(f"{name} is not finite")
    if problems:
        raise CheckpointError(f"{path}: " + "; ".join(problems[:20]))


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}


_FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


def _is_same_kind(stored: torch.dtype, wanted: torch.dtype) -> bool:
    """Whether numbers may be cast: floating-point ones among themselves, all others not."""
    return stored == wanted or (stored in _FLOATS and wanted in _FLOATS)
