"""What all tests share: no hub, one thread a process, and the folder of real data where there is one."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Of the commands that tests start, too: they stand side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]

# Test processes stand side by side; more threads each would only get into each other's way.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository; tests that read it are skipped where it is missing."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs ../shared/data, which is not beside this checkout")
    return folder


# The recipe's imports take seconds: only for tests that train.
@pytest.fixture(scope="session")
def synthetic_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small model of the two synthetic user types, trained for a few seconds."""
    from tests.factories.runs import train_small

    return _once(tmp_path_factory, "synthetic", lambda folder: train_small(folder / "small"))


@pytest.fixture(scope="session")
def templated_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a model of people who look at length or loudness, with candidates.jsonl in it."""
    from tests.factories.templated import train_templated

    return _once(tmp_path_factory, "templated", train_templated)


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """What is made in a folder once for all processes of a test run."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    os.environ.setdefault("FSA_CACHE", str(folder / "cache"))
    with FileLock(f"{folder}.lock"):
        done = folder / "done"
        if not done.exists():
            folder.mkdir(exist_ok=True)
            done.write_text(str(make(folder)))
        return Path(done.read_text())
