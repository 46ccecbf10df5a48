"""A suite's cells, done in this process."""

import io
from pathlib import Path

from rich.console import Console

from eval.suite.cells import write_suite
from eval.suite.plan import Plan
from eval.suite.workers import Progress, run_cells


def run(plan: Plan, out: Path, only: str = "*") -> tuple[Progress, str]:
    """Do a suite's cells; gives what it printed as well."""
    cells, printed = plan.cells(), io.StringIO()
    progress = Progress(
        cells, plan.cells(only), out, lambda status: write_suite(out, {"name": "test"}, cells, status)
    )
    run_cells(plan, out, progress, 1, Console(file=printed, width=200))
    return progress, printed.getvalue()
