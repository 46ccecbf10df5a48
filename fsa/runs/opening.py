"""Model folders as they are opened: where one is, and that all in it belongs together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from safetensors import SafetensorError, safe_open

from fsa.errors import CheckpointError
from fsa.runs.folder import CONFIG_JSON, CONFIG_YAML, PROJECTION, RUN, WEIGHTS, read_json

RUN_JSON = "run.json"
BEFORE = ".before"  # where an older run's files wait until its successor is complete
STARTER = "starter"
"""Name of the small model that comes with fsa."""
MARK = "# run "  # and its name: the first line of a configuration


def open_folder(name: str | Path, layout: str, revision: str | None = None) -> tuple[Path, dict[str, Any]]:
    """The folder of a model and what its config.json holds.

    Args:
        name: Path or hub id.
        layout: Name and number of the layout that it must be of, such as "fsa.reward.1".
        revision: Branch, tag or commit of a hub id.

    Raises:
        CheckpointError: It is no model of this layout, its run never ended, or it is a mixture of two.
    """
    folder = local_folder(name, revision)
    known = check_finished(folder)
    config = read_json(folder / CONFIG_JSON)
    check_one_run(folder, known, config)
    if not isinstance(config, Mapping):
        raise CheckpointError(f"{folder / CONFIG_JSON}: should hold an object, came {config!r:.80}")
    check_layout(config, layout)
    check_same_run(folder, config.get(RUN))
    return folder, dict(config)


def local_folder(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a run: a path as it is, `STARTER` from the package, a hub id after its files are here.

    Raises:
        CheckpointError: There is no such folder and no such repository.
    """
    if not str(name).strip() or "\0" in str(name):
        raise CheckpointError(f"{name!r}: neither a run folder nor a model on the hub; the name is blank")
    folder = Path(name)
    if folder.is_dir():
        return folder
    if str(name) == STARTER:
        return Path(__file__).parent.parent / STARTER
    try:
        patterns = ["*.json", "*.safetensors", "*.yaml", "*.md"]
        return Path(snapshot_download(str(name), revision=revision, allow_patterns=patterns))
    except (HFValidationError, RepositoryNotFoundError, OSError) as error:
        raise CheckpointError(f"{name}: neither a run folder nor a model on the hub ({error})") from error


def check_finished(folder: Path) -> dict[str, Any]:
    """The run that a folder holds, see `run_of`, unless it never ended.

    Raises:
        CheckpointError: Its training has not ended; says how to go on.
    """
    known = run_of(folder)
    if known and not known.get("finished"):
        raise CheckpointError(
            f"{folder}: its training has not ended, so there is no model yet; go on (--resume {folder})"
            + (f"; the run before it is in {folder / BEFORE}" if (folder / BEFORE).exists() else "")
        )
    return known


def check_one_run(folder: Path, known: Mapping[str, Any], config: Any) -> None:
    """Refuse a folder that holds parts of two runs.

    Folders of before there were names of runs pass, and so does a model without its run's files.

    Args:
        folder: Run folder.
        known: The run that it holds; see `run_of`.
        config: What its config.json holds.

    Raises:
        CheckpointError: Says what is there.
    """
    if not known:
        return
    for name, found in _named_in(folder, config):
        if found is not None and found != known["run"]:
            raise CheckpointError(
                f"{folder}: a mixture of two runs, {name} is of {found}, {RUN_JSON} of {known['run']}"
            )


def check_layout(config: Mapping[str, Any], reads: str) -> None:
    """Refuse a model whose `format` is not the one that this fsa reads.

    Args:
        config: What its config.json holds.
        reads: Name and number of the layout, such as "fsa.reward.1".

    Raises:
        CheckpointError: Says whether the model is older, newer, or something else.
    """
    found = config.get("format")
    if found == reads:
        return
    raise CheckpointError(
        f"config.json: format is {found!r}, this fsa reads {reads!r}; {_difference(found, reads)}"
    )


def _difference(found: Any, reads: str) -> str:
    kind, _, number = reads.rpartition(".")
    name, _, version = found.rpartition(".") if isinstance(found, str) else ("", "", "")
    if found is None:
        return "without a format it was written before there were any, or is no model of fsa"
    if name != kind or not version.isdigit():
        return "it is a model of another kind"
    if int(version) < int(number):
        return "it was written by an older fsa: open it with that version, or train again"
    return "it was written by a newer fsa: update fsa to open it"


def check_same_run(folder: Path, run: Any) -> None:
    """Refuse a folder whose tensors and config.json are of different runs; see `save_tensors`.

    Raises:
        CheckpointError: Names the file, or says that it cannot be read.
    """
    for name in (WEIGHTS, PROJECTION):
        try:
            with safe_open(folder / name, "pt") as file:
                found = (file.metadata() or {}).get(RUN)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{folder / name}: cannot be read: {error}") from error
        if found != run:
            raise CheckpointError(
                f"{folder}: a mixture of two runs, {name} is of {found or 'none'} and {CONFIG_JSON} of "
                f"{run or 'none'}"
            )


def run_of(folder: Path) -> dict[str, Any]:
    """The run that a folder holds: its name, whether it is finished, the hash of its data; empty if unnamed.

    Raises:
        CheckpointError: The file that names it cannot be read.
    """
    path = folder / RUN_JSON
    if not path.exists():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("run"), str):
        raise CheckpointError(f"{path}: should name the run, came {content!r:.80}")
    return content


def _named_in(folder: Path, config: Any) -> Iterator[tuple[str, Any]]:
    """The run that each configuration in a folder says it is of; None where it does not say."""
    yield CONFIG_JSON, config.get(RUN) if isinstance(config, Mapping) else None
    if (folder / CONFIG_YAML).is_file():
        with (folder / CONFIG_YAML).open(encoding="utf-8", errors="replace") as file:
            line = file.readline(200).strip()
        yield CONFIG_YAML, line.removeprefix(MARK) if line.startswith(MARK) else None
