"""Texts of every style."""

import numpy as np
import pytest

from tests.factories.sandbox_corpus import sandbox_corpus


@pytest.fixture(scope="session")
def corpus() -> tuple[list[str], list[str], np.ndarray]:
    """Prompts, responses and their levels."""
    prompts, responses, levels = zip(*sandbox_corpus(4000, seed=1), strict=True)
    return list(prompts), list(responses), np.array(levels)
