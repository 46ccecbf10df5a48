"""Two hundred clicks on the page of a server, in a real browser: `python -m eval.bench.page`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from eval.bench.browser import browser, complaints, resize
from eval.bench.figures import Figure, reported
from eval.bench.serve import server_process, serving
from eval.bench.serve_models import Load
from eval.page.composed import composed
from fsa.choices.sandbox_text.measuring import measure
from fsa.cli.lines import as_lines
from fsa.cli.recipes import run_recipe
from fsa.outputs.reward_model import RewardModel
from fsa.reports.report import Report

_PROMPTS = 24  # with six responses each: more pairs than are clicked
_WARM = 20  # clicks before memory is looked at
_MB = 1e6

# From the click until everything that follows from it is shown; no other measure of time is between.
_CLICK = """
const [name, done] = arguments, main = document.getElementById("main"), started = performance.now();
new MutationObserver((_, seen) => {
  if (main.ariaBusy !== "false") return;
  seen.disconnect();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
}).observe(main, { attributes: true });
document.getElementById(name).click();
"""


def bench_page(
    model: str = "runs/demo", out: str = "runs/bench-page", clicks: int = 200, pictures: str = ""
) -> Report:
    """Measure how long a click takes until all that follows is shown, and what page and server grow by.

    A person who likes formal, sober answers clicks; every question is another. Writes OUT/report.json.

    Args:
        model: Run folder of the demo's model.
        out: Folder of the report.
        clicks: How many are measured.
        pictures: Folder for pictures of the page after five clicks, 1,200 and 400 pixels wide; "" takes none.
    """
    with tempfile.TemporaryDirectory(prefix="fsa-bench-page-") as folder:
        load = Load("page", Path(folder), 0)
        RewardModel.from_pretrained(model).save_pretrained(folder)  # with a database of its own
        candidates = load.model / "candidates.jsonl"
        candidates.write_text(as_lines(composed(_PROMPTS)), "utf-8")
        with serving(load, "--candidates", str(candidates), core=None) as url, browser() as driver:
            driver.get(url)
            _until_ready(driver)
            if pictures:
                _take(driver, Path(pictures))
            figures = _measured(driver, server_process(), clicks)
    return reported(figures, out, "eval.bench.page")


def _measured(driver: Any, server: Any, clicks: int) -> list[Figure]:
    for _ in range(_WARM):
        _click(driver)
    before, taken = (*_held(driver), server.memory_info().rss), _processor_seconds(driver, server)
    milliseconds = [_click(driver) for _ in range(clicks)]
    taken = _processor_seconds(driver, server) - taken
    after = (*_held(driver), server.memory_info().rss)
    said = complaints(driver)
    heap, nodes, resident = (b - a for a, b in zip(before, after, strict=True))
    return [
        Figure("page_click", "a click until all that follows is shown: median, ms", milliseconds),
        Figure("page_slowest", f"the slowest of {clicks} clicks, ms", [max(milliseconds)], at_most=300),
        # On a machine that others use as well, time on the wall is theirs too.
        Figure(
            "page_processor",
            "processor time of server and browser a click, ms, moving pictures included",
            [1000 * taken / clicks],
        ),
        Figure("page_heap", "growth of the page's heap, MB", [heap / _MB], at_most=2),
        Figure("page_nodes", "growth of the page, nodes", [nodes], at_most=0),
        Figure("page_server", "growth of the server, MB", [resident / _MB], at_most=20),
        Figure("page_complaints", "complaints of the console", [len(said)], at_most=0),
    ]


def _processor_seconds(driver: Any, server: Any) -> float:
    """Processor time that the server and all processes of the browser have taken."""
    import psutil

    browser_processes = psutil.Process(driver.service.process.pid).children(recursive=True)
    return float(sum(sum(each.cpu_times()[:2]) for each in [server, *browser_processes]))


def _click(driver: Any) -> float:
    """Choose; milliseconds until all that follows is shown."""
    shown = driver.execute_script(
        "return ['first', 'second'].map((id) => document.querySelector(`#${id} .text`).textContent)"
    )
    # A person who likes formal answers, and among these sober ones.
    first, second = (each["formality"] - each["tone"] / 2 for each in map(measure, shown))
    taken: float = driver.execute_async_script(_CLICK, "first" if first >= second else "second")
    return taken


def _held(driver: Any) -> tuple[float, float]:
    """Bytes of the page's heap and nodes of its document, after a collection of garbage."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    driver.execute_cdp_cmd("Performance.enable", {})
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    nodes = driver.execute_script("return document.querySelectorAll('*').length")
    return next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"), nodes


def _take(driver: Any, folder: Path) -> None:
    """Pictures of the whole page, wide and light, narrow and dark, in few colours."""
    for _ in range(5):
        _click(driver)
    for width, colours in ((1200, "light"), (400, "dark")):
        prefers = {"features": [{"name": "prefers-color-scheme", "value": colours}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", prefers)
        resize(driver, width, 800)
        driver.execute_async_script("setTimeout(arguments[0], 1000)")  # what moves has arrived
        resize(driver, width, driver.execute_script("return document.documentElement.scrollHeight"))
        picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
        picture.quantize(64).save(folder / f"page_{width}.png", optimize=True)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    resize(driver, 1200, 900)


def _until_ready(driver: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    script = "return document.getElementById('main').ariaBusy === 'false'"
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script(script))


if __name__ == "__main__":
    run_recipe(bench_page)
