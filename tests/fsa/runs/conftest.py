"""What is computed for one test is not there for another."""

import pytest


@pytest.fixture(autouse=True)
def _own_cache(own_cache: object) -> None:
    """No test sees another's features, or the user's."""
