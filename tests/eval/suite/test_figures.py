import numpy as np

from eval.suite.cells import save_arrays
from eval.suite.page import write
from tests.factories import finished_suite as made_up_suite

OURS = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.9, 0.8)}


BETTER = {0: (0.5, 0.5), 3: (0.9, 0.9), 10: (1.0, 1.0)}


FLAT = dict.fromkeys((0, 3, 10), (0.5, 0.5))


def test_pictures_of_people_come_from_the_cells(tmp_path):
    made_up_suite.write(tmp_path / "out", {"easy": {"NP-BTL": OURS, "pooled": FLAT}})
    grid = np.linspace(0, 1, 5)
    found = {"axes": np.arange(8.0).reshape(4, 2), "group": np.array(["odd", "even"] * 2), "grid": grid}
    found |= {"kind": np.array(["odd"]), "sizes": np.array([0, 3]), "rewards": np.stack([[grid], [-grid]])}
    save_arrays(tmp_path / "out/cells/easy/NP-BTL/0-k3y/people.npz", found)
    write(tmp_path / "out", tmp_path / "results.md", num_resamples=10)
    assert {"beliefs.png", "rewards.png"} <= {path.name for path in (tmp_path / "results").iterdir()}
    assert "(results/beliefs.png)" in (tmp_path / "results.md").read_text()
