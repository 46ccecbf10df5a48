import math

import pandas as pd
import pytest

from eval.suite.results import Roles, Suite
from eval.suite.rows import rows_of_suite
from eval.suite.sections import datasets, glance, no_more
from fsa.reports.report import Report
from tests.factories.finished_suite import write

LOW, HIGH = dict.fromkeys((0, 3, 10), (0.5, 0.5)), dict.fromkeys((0, 3, 10), (0.9, 0.8))
ROLES = Roles("NP-BTL", (), ("dedicated",), ("VPL", "pooled"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    write(folder, {"easy": {"NP-BTL": HIGH, "pooled": LOW}}, seeds=1)
    suite = Suite.read(folder)
    return suite, Report(rows_of_suite(suite, num_resamples=20), {}).frame


def test_a_line_says_what_a_data_set_is(made):
    (line,) = datasets(*made).to_dict("records")
    assert (line["data set"], line["n"], line["seeds"], line["sizes"]) == ("easy", "200", 1, "0 3 10")


def test_the_reference_is_bold_and_the_best_rival_slanted(made):
    table = glance(*made)
    cells = {row[0]: row[1] for row in table.itertuples(index=False)}
    assert cells["NP-BTL"].startswith("**85.0**")
    assert cells["pooled"].startswith("*50.0*")


def test_a_verdict_names_where_ours_needs_more_and_where_nobody_gets_there():
    values = pd.DataFrame(
        {"a": [2.0, 3.0, 5.0], "b": [4.0, 3.0, 5.0], "c": [math.inf] * 3}, index=["NP-BTL", "VPL", "pooled"]
    )
    said = no_more(ROLES, "needs no more", values)
    assert "**NP-BTL needs no more on: a.**" in said
    assert "More on: b (4.0, VPL 3.0)." in said
    assert "Reached by no method on: c." in said
