import io

from rich.console import Console

from eval.suite.cells import CELL
from eval.suite.timing import timing_pass
from fsa.runs.folder import read_json
from tests.factories.suite import folder_of


def test_a_timing_pass_adds_to_what_is_there(done, plan):
    timing_pass(plan, done[0], plan.cells(), "synthetic", Console(file=io.StringIO()), repetitions=3)
    about = read_json(folder_of(plan, "*/pooled/0", done[0]) / CELL)
    assert about["timing"]["adapt_ms"] > 0
    assert about["timing"]["train_alone"] > 0
    assert (about["timing"]["n"], about["method"]) == (3, "pooled")
    assert not (done[0] / "timing").exists()
