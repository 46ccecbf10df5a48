"""Fill the feature store before training: `python -m train.features --config configs/reward/choices.yaml`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from filelock import FileLock
from rich.console import Console

from fsa.choices.source import Source
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError, OutputError
from fsa.features.extractor import FeatureExtractor
from fsa.features.hidden_state import HiddenState
from fsa.outputs.item_features import ItemFeatures
from fsa.paths import cache_dir
from fsa.recipes.configured import options
from fsa.runs.folder import read_yaml
from fsa.training.processes import is_first_process, local_rank, share_of_work

_READ = ("source", "features")


def fill_features(
    source: Source,
    features: FeatureExtractor = HiddenState(),  # noqa: B008 (parts hold settings only until they are used)
) -> int:
    """Compute what is not in the feature store yet, on one machine or many.

    Started by torchrun or srun, each process takes every n-th item, on the GPU of its own number. Processes
    need not know of each other; one that dies is started again and goes on where it was.

    Args:
        source: Where choices come from.
        features: What turns an option into numbers; one that keeps a store.

    Returns:
        How many items this process saw to.

    Raises:
        OutputError: The store could not take them.
    """
    rank, processes = share_of_work()
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank() % torch.cuda.device_count())
    table = source.load()
    items = table.items_used[rank::processes]
    prompts = [table.text(int(number)) for number in table.item_prompt[items]]
    features.extract(prompts, [table.response(int(item)) for item in items], progress=is_first_process())
    if features.num_unkept:
        raise OutputError(
            f"{cache_dir() / 'features'}: cannot be written: {features.num_unkept:,} of {len(items):,} items "
            "are not in the store; make room, or name another folder (FSA_CACHE)"
        )
    Console(stderr=True).print(f"process {rank} of {processes}: {len(items):,} items are in the store")
    return len(items)


def item_features(table: ChoiceTable, features: FeatureExtractor) -> ItemFeatures:
    """Features of a table's items; of several processes one computes, the others wait and read the store."""
    folder, lock = cache_dir() / "features", contextlib.ExitStack()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.enter_context(FileLock(folder / f"{features.fingerprint}.lock"))
    except OSError:
        pass  # no store to share: each process computes for itself, and the extractor says so
    with lock:
        return ItemFeatures(table, features, progress=is_first_process())


def of_training_config(arguments: Sequence[str]) -> list[str]:
    """Arguments with each `--config FILE` of a training recipe or run cut down to what is read here.

    Raises:
        ConfigError: A file is not named.
        CheckpointError: A file cannot be read.
    """
    plain: list[str] = []
    for name, file, given in options(arguments):
        if name != "config":
            plain += given
        elif not file:
            raise ConfigError("--config is missing its file")
        else:
            config = read_yaml(Path(file))
            plain += [f"--{part}={json.dumps(config[part])}" for part in _READ if part in config]
    return plain
