import pytest

from eval.suite.results import Suite
from fsa.errors import CheckpointError, ConfigError

OURS = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.9, 0.8)}


BETTER = {0: (0.5, 0.5), 3: (0.9, 0.9), 10: (1.0, 1.0)}


FLAT = dict.fromkeys((0, 3, 10), (0.5, 0.5))


def test_no_suite_and_no_finished_cell_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"suite\.json"):
        Suite.read(tmp_path)
    (tmp_path / "suite.json").write_text('{"cells": []}')
    with pytest.raises(ConfigError, match="none of its 0 cells is done"):
        Suite.read(tmp_path)
