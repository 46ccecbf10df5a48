"""The documentation as a site: built strictly, without a request beyond this machine, and searched."""

import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eval.bench.browser import NEEDED, browser, complaints, find_browser, requested, resize

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built anew; a warning fails the build."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return folder


@pytest.fixture
def address(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_page_is_there_and_none_asks_another_machine_for_a_script_or_font(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 35
    assert {"quickstart.html", "papers.html", "evidence.html"} <= {page.name for page in pages}
    asking = [
        page.name
        for page in pages
        for tag in ('<script src="http', 'rel="stylesheet" href="http', "fonts.googleapis")
        if tag in page.read_text("utf-8")
    ]
    assert asking == []


def test_a_reader_finds_rerank_on_wide_and_narrow_screens(address, tmp_path):
    if find_browser() is None:
        pytest.skip(NEEDED)
    with browser(1200, 900) as driver:
        driver.get(f"{address}/quickstart.html")
        assert "Quickstart" in driver.title
        for width in (1200, 400):
            resize(driver, width, 900)
            inner, whole = (
                driver.execute_script(f"return document.documentElement.{w}")
                for w in ("clientWidth", "scrollWidth")
            )
            assert whole <= inner  # nothing hangs out to the right
        resize(driver, 1200, 900)
        driver.find_element("css selector", ".md-search__input").send_keys("rerank")
        end = time.monotonic() + 20
        found = []
        while not found and time.monotonic() < end:
            links = driver.find_elements("css selector", ".md-search-result__link")
            found = [link.get_attribute("href") for link in links]
            time.sleep(0.1)
        assert any("serving.html" in link for link in found), found
        assert complaints(driver) == []
        assert [url for url in requested(driver) if not url.startswith((address, "data:", "chrome"))] == []
