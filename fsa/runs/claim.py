"""Run folders as they are written: who may write one, which run it holds, what becomes of an older one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fsa.errors import ConfigError, OutputError
from fsa.runs.folder import (
    CONFIG_JSON,
    CONFIG_YAML,
    META,
    PROJECTION,
    WEIGHTS,
    read_yaml,
    write_json,
    write_yaml,
)
from fsa.runs.opening import BEFORE, MARK, RUN_JSON, run_of

CHECKPOINTS, METRICS = "checkpoints", "metrics.csv"
_OURS = (CONFIG_YAML, CONFIG_JSON, META, METRICS, WEIGHTS, PROJECTION, RUN_JSON, CHECKPOINTS)
_OF_A_RUN = (*_OURS, "eval", "wandb")

MAY_CHANGE = (
    "loop", "optimizer", "sequences.num_workers", "episodes.num_workers",
    "source.path", "source.cache", "features.device", "features.store", "features.batch_tokens",
    "out", "resume", "overwrite",
)  # fmt: skip
"""What a resumed run may be told anew: how long and how fast it goes on, and where things are. A name covers
all that is in it. The choices have to be the same, wherever they are read from; see `begin`."""
_MAY_NOT = ("optimizer.lr_of", "optimizer.class_path", "loop.class_path")


def check_free(folder: Path, config: Mapping[str, Any], resume: bool, overwrite: bool) -> None:
    """Make sure, before any work, that a run may be written to a folder; nothing is changed.

    Args:
        folder: Run folder.
        config: The run's whole configuration.
        resume: The run in it shall go on.
        overwrite: The run in it may be lost once its successor is complete; `resume` counts more.

    Raises:
        ConfigError: A run is there, and neither `resume` nor `overwrite` is given; or what is there is
            no run; or a resumed run would become another.
    """
    if resume:
        if (folder / CONFIG_YAML).is_file():
            check_changes(read_yaml(folder / CONFIG_YAML), config, folder)
        return
    found = [name for name in _OURS if (folder / name).exists()]
    if not found:
        return
    if not (folder / CONFIG_YAML).is_file():
        raise ConfigError(
            f"{folder} holds files that are not those of a run: {', '.join(found)}; choose another folder "
            "(--out FOLDER), nothing there is overwritten"
        )
    if not overwrite:
        raise ConfigError(
            f"{folder} holds a run already; go on with it (--resume {folder}), start anew and lose it "
            "(--overwrite true), or choose another folder (--out FOLDER)"
        )


def begin(folder: Path, config: Mapping[str, Any], data: str, resume: bool) -> str:
    """Say that a run now writes this folder: its configuration, its name, and what data it is of.

    Files of an older run are set aside, and go when this one is complete; see `finish`.

    Args:
        folder: Run folder, whose lock the caller holds.
        config: The run's whole configuration.
        data: Hash of the choices.
        resume: The run in it goes on.

    Returns:
        The run's name, which its weights will carry.

    Raises:
        ConfigError: A resumed run was trained on other choices.
    """
    known = run_of(folder)
    if resume and known and known.get("data") not in (None, data):
        raise ConfigError(
            f"--resume {folder}: the choices are not those that the run was trained on (their hash is "
            f"{data[:12]}, it was {str(known['data'])[:12]}); train anew in another folder (--out FOLDER)"
        )
    if not resume:
        _set_aside(folder)
        known = {}
    run = str(known.get("run") or secrets.token_hex(8))
    plain = {**config, "resume": False, "overwrite": False}
    write_yaml(folder / CONFIG_YAML, plain, first_line=f"{MARK}{run}")
    write_json(folder / RUN_JSON, {"run": run, "finished": bool(known.get("finished")), "data": data})
    return run


def finish(folder: Path) -> None:
    """Say that the run is complete; what an older one left goes."""
    write_json(folder / RUN_JSON, {**run_of(folder), "finished": True})
    shutil.rmtree(folder / BEFORE, ignore_errors=True)


def check_changes(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with a run under settings that would make it another.

    Args:
        before: Configuration that the run was begun with.
        now: What it is asked to go on with.
        folder: Run folder, for the error.

    Raises:
        ConfigError: Names every key that may not change.
    """
    old, new = dict(_leaves(before)), dict(_leaves(now))
    changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    changed += sorted(name for name in new.keys() - old.keys() if _is_new(name, new[name], old))
    refused = [name for name in changed if not _may_change(name)]
    if refused:
        said = ", ".join(f"{name} ({old.get(name, 'not set')} before, {new[name]} now)" for name in refused)
        raise ConfigError(
            f"--resume {folder}: {said} would make it another run; what may change is {', '.join(MAY_CHANGE)}"
        )


def _is_new(name: str, value: Any, old: Mapping[str, Any]) -> bool:
    """Whether a key is of a part that was there: a key of a later version of fsa has its default."""
    part = name.rpartition(".")[0]
    return value is not None and part != "" and any(key.startswith(f"{part}.class_path") for key in old)


def _may_change(name: str) -> bool:
    def covers(one: str) -> bool:
        return name == one or name.startswith(f"{one}.")

    return any(map(covers, MAY_CHANGE)) and not any(map(covers, _MAY_NOT))


def _leaves(config: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a configuration by its dotted name, `init_args` left out as on a command line."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            inner = name if key == "init_args" else f"{name}.{key}".lstrip(".")
            yield from _leaves(value, inner)
    else:
        yield name, list(config) if isinstance(config, tuple) else config


def _set_aside(folder: Path) -> None:
    """Move an older run's files into a folder of their own; those of one that never ended are lost."""
    found = [folder / name for name in _OF_A_RUN if (folder / name).exists()]
    if not found:
        return
    before = folder / BEFORE
    try:
        if before.exists():  # of a run that is complete, while what lies here is not
            for path in found:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            return
        before.mkdir()
        # The weights first: whatever happens on the way, no reader finds them under another configuration.
        for path in sorted(found, key=lambda path: path.name != WEIGHTS):
            path.replace(before / path.name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
