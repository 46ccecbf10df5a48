"""Run folders: the only corridor between training and everything that comes after it."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fsa.errors import CheckpointError

CONFIG_YAML = "config.yaml"
CONFIG_JSON = "config.json"
WEIGHTS = "model.safetensors"
PROJECTION = "projection.safetensors"
META = "meta.json"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that people can read; a crash leaves no half a file."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CheckpointError: There is no such file, or it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error


def write_yaml(path: Path, config: Mapping[str, Any]) -> None:
    """Write a recipe's whole configuration, as its `--config` would read it; never half a file."""
    plain = json.loads(json.dumps(config))
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), encoding="utf-8")
    unfinished.replace(path)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a recipe's configuration.

    Raises:
        CheckpointError: There is no such file, or it is no YAML.
    """
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, yaml.YAMLError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error


def about_this_run(**more: Any) -> dict[str, Any]:
    """What a reader needs to make a run again: versions, machine, commit, date."""
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
        **more,
    }


def commit() -> str:
    """The commit of the package's work tree, with "+" if it was changed since; "" if there is none."""
    where = Path(__file__).parent
    ask = {"cwd": where, "capture_output": True, "text": True, "check": True}
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], **ask).stdout.strip()  # type: ignore[call-overload]
        dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], **ask).stdout  # type: ignore[call-overload]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if dirty.strip() else "")


def local_folder(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a run: a path as it is, a hub id after its files are here.

    Raises:
        CheckpointError: There is no such folder and no such repository.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    try:
        patterns = ["*.json", "*.safetensors", "*.yaml", "*.md"]
        return Path(snapshot_download(str(name), revision=revision, allow_patterns=patterns))
    except (HFValidationError, RepositoryNotFoundError, OSError) as error:
        raise CheckpointError(f"{name}: neither a run folder nor a model on the hub ({error})") from error


def load_strictly(
    model: nn.Module, path: Path, make_room: Callable[[Mapping[str, Tensor]], None] | None = None
) -> None:
    """Fill a model from a safetensors file that holds exactly its tensors.

    Args:
        model: What to fill.
        path: The file.
        make_room: Is shown the stored tensors first, so that those of the model that may have any length
            take theirs.

    Raises:
        CheckpointError: A tensor is missing, left over, not finite, or of another shape; each is named.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error
    if make_room:
        make_room(stored)
    check_tensors(path, stored, model.state_dict())
    model.load_state_dict(stored, strict=True)


def check_tensors(path: Path, stored: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse a file whose tensors are not exactly the wanted ones, by name and shape."""
    problems = [f"{name} is missing" for name in sorted(wanted.keys() - stored.keys())]
    problems += [f"{name} is not part of this model" for name in sorted(stored.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & stored.keys()):
        if wanted[name].shape != stored[name].shape:
            problems.append(f"{name} is {list(stored[name].shape)}, should be {list(wanted[name].shape)}")
        elif not stored[name].isfinite().all():
            problems.append(f"{name} is not finite")
    if problems:
        raise CheckpointError(f"{path}: " + "; ".join(problems))
