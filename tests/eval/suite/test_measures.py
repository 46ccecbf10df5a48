from eval.suite.measures import Measures
from eval.suite.results import Suite
from tests.factories import finished_suite as made_up_suite

OURS = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.9, 0.8)}


BETTER = {0: (0.5, 0.5), 3: (0.9, 0.9), 10: (1.0, 1.0)}


FLAT = dict.fromkeys((0, 3, 10), (0.5, 0.5))


def test_a_method_without_a_seed_is_averaged_over_the_others(tmp_path):
    made_up_suite.write(tmp_path, {"data": {"NP-BTL": OURS, "VPL": FLAT}}, seeds=2)
    (tmp_path / "cells/data/VPL/1-k3y/cell.json").unlink()
    measures = Measures.of(Suite.read(tmp_path), "data", num_resamples=10)
    mean = measures.by_metric["accuracy"].mean(("VPL", 10), measures.all_users)
    assert (mean.value, mean.seeds) == (0.5, 1)
