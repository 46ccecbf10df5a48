from types import SimpleNamespace

import pytest

import eval.bench.page as recipe
from eval.bench.browser import NEEDED, browser, find_browser
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from tests.fsa.serve.listening import listening


def test_growth_is_what_came_after_the_warm_up(monkeypatch):
    """The heap grows by 1 MB, the server by 3; one click of four takes 400 ms, all 0.2 s of processor."""
    held = iter([(5e6, 100), (6e6, 100)])
    memory, seconds = iter([50e6, 53e6]), iter([7.0, 7.2])
    clicks = iter([1.0] * recipe._WARM + [100, 100, 400, 100])
    monkeypatch.setattr(recipe, "_held", lambda _: next(held))
    monkeypatch.setattr(recipe, "_click", lambda _: next(clicks))
    monkeypatch.setattr(recipe, "complaints", lambda _: [])
    monkeypatch.setattr(recipe, "_processor_seconds", lambda *_: next(seconds))
    server = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=next(memory)))
    figures = {figure.metric: figure for figure in recipe._measured(None, server, 4)}
    values = {name: figure.value for name, figure in figures.items()}
    assert values == {
        "page_click": 100,
        "page_slowest": 400,
        "page_processor": pytest.approx(50),
        "page_heap": 1,
        "page_nodes": 0,
        "page_server": 3,
        "page_complaints": 0,
    }
    assert [name for name, figure in figures.items() if not figure.is_kept] == ["page_slowest"]


@pytest.mark.slow
@pytest.mark.skipif(find_browser() is None, reason=NEEDED)
def test_a_click_is_over_when_the_next_question_is_there_and_pictures_are_small(templated_run, tmp_path):
    candidates, store = str(templated_run / "candidates.jsonl"), f"sqlite:///{tmp_path}/people.db"
    settings = Settings(str(templated_run), store=store, candidates=candidates)
    with listening(Service(settings)) as port, browser() as driver:
        driver.get(f"http://127.0.0.1:{port}/")
        recipe._until_ready(driver)
        count = "return document.getElementById('count').textContent"
        assert 0 < recipe._click(driver) < 60_000
        assert driver.execute_script(count) == "1 choice so far"
        heap, nodes = recipe._held(driver)
        assert heap > 1e5
        assert nodes > 100
        recipe._take(driver, tmp_path)
        assert driver.execute_script(count) == "6 choices so far"
    pictures = [tmp_path / f"page_{width}.png" for width in (1200, 400)]
    assert all(picture.stat().st_size < 150_000 for picture in pictures)
