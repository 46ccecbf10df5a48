"""A whole suite in small, done once for all tests."""

from pathlib import Path

import pytest

from eval.suite.plan import Plan
from eval.suite.workers import Progress
from tests.factories.suite import METHODS, SYNTHETIC, plan_of
from tests.factories.suite_runs import run

BROKEN = {"config": [], "set": {"scorer": "tests.factories.suite.Broken"}}


@pytest.fixture(scope="session")
def plan() -> Plan:
    return plan_of({"synthetic": SYNTHETIC | {"conflicts": [4]}}, {**METHODS, "broken": BROKEN})


@pytest.fixture(scope="session")
def done(plan, tmp_path_factory) -> tuple[Path, Progress, str]:
    out = tmp_path_factory.mktemp("suite")
    return out, *run(plan, out)
