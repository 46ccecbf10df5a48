"""Training a small run into the test's own folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsa.training.datamodule import EpisodeData
from fsa.training.module import ChoiceModule
from tests.factories.training import small_data, small_loop


@pytest.fixture
def fit(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Train `module` on `data` into a folder below the test's own; other arguments are the loop's."""

    def run(
        module: ChoiceModule,
        data: EpisodeData | None = None,
        out: str = "run",
        resume: bool = False,
        **loop: Any,
    ) -> dict[str, Any]:
        (tmp_path / out).mkdir(exist_ok=True)
        return small_loop(**loop).fit(module, data or small_data(), tmp_path / out, resume)

    return run
