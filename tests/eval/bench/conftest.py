"""What the tests of the bench share."""

from pathlib import Path

import pytest

from eval.bench.policy_data import make
from tests.factories.bench import TINY


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A tiny policy to time, with its choices; and its head's share of the weights."""
    folder = tmp_path_factory.mktemp("bench")
    return folder, make(folder, TINY)
