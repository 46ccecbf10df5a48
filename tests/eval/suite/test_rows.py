import pytest

from eval.suite.results import Suite
from eval.suite.rows import rows_of_suite
from fsa.errors import ConfigError
from tests.factories import finished_suite as made_up_suite

OURS = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.9, 0.8)}


BETTER = {0: (0.5, 0.5), 3: (0.9, 0.9), 10: (1.0, 1.0)}


FLAT = dict.fromkeys((0, 3, 10), (0.5, 0.5))


def test_cells_that_were_asked_something_else_are_refused(tmp_path):
    made_up_suite.write(tmp_path, {"data": {"NP-BTL": OURS, "VPL": FLAT}}, seeds=1)
    made_up_suite.asked(FLAT, people=10).save(tmp_path / "cells/data/VPL/0-k3y/predictions.npz")
    with pytest.raises(ConfigError, match="VPL/0-k3y: was not asked the same"):
        rows_of_suite(Suite.read(tmp_path), num_resamples=10)
