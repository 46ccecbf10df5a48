"""The results page of a suite, from the cells that are done: `python -m eval.suite_page --suite OUT`."""

from __future__ import annotations

from pathlib import Path

from eval.suite.page import write
from fsa.cli.recipes import run_recipe


def page(suite: str = "runs/suite", docs: str = "docs/results.md") -> None:
    """Write the results page of a suite again, from the cells that are done.

    Args:
        suite: Folder of the suite.
        docs: The page.
    """
    write(Path(suite), Path(docs))


if __name__ == "__main__":
    run_recipe(page)
