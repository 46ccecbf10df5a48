"""A model of four tastes, a server of it, and a browser, for all tests of the page."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eval.bench.browser import NEEDED, browser, find_browser
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from tests.fsa.serve.listening import listening
from tests.fsa.serve.page.visitor import Visitor


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its people."""
    return tmp_path_factory.mktemp("page") / "people.db"


@pytest.fixture(scope="session")
def port(templated_run: Path, database: Path) -> Iterator[int]:
    """Of a server of the model."""
    candidates = str(templated_run / "candidates.jsonl")
    settings = Settings(str(templated_run), store=f"sqlite:///{database}", candidates=candidates)
    with listening(Service(settings)) as port:
        yield port


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    """A browser, which all tests share."""
    if find_browser() is None:
        pytest.skip(NEEDED)
    with browser() as driver:
        yield driver


@pytest.fixture
def windows(driver: Any) -> Iterator[None]:
    """Windows that a test opens are closed again."""
    home = driver.current_window_handle
    yield
    for window in driver.window_handles:
        driver.switch_to.window(window)
        if window != home:
            driver.close()
    driver.switch_to.window(home)


@pytest.fixture
def visit(driver: Any, port: int, windows: None) -> partial[Visitor]:
    """Opens the page as somebody new."""
    return partial(Visitor, driver, port)
