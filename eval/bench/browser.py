"""A real Chromium without a window, driven through chromedriver, where both are installed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_DRIVERS = ("chromedriver", "chromium.chromedriver")
_SWITCHES = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)

NEEDED = "needs Chromium and its driver (apt-get install chromium chromium-driver), and selenium"


def find_browser() -> tuple[str, str] | None:
    """Paths of browser and driver; None where one of them, or selenium, is not installed."""
    if find_spec("selenium") is None:
        return None
    browser, driver = (next(filter(None, map(shutil.which, names)), None) for names in (_BROWSERS, _DRIVERS))
    return (browser, driver) if browser and driver else None


@contextmanager
def browser(width: int = 1200, height: int = 900, dark: bool = False) -> Iterator[Any]:
    """Selenium's driver of a new Chromium, which keeps logs of console and network.

    Args:
        width, height: Of the page, in CSS pixels.
        dark: Dark colours, as the reader of a page may prefer.

    Raises:
        RuntimeError: There is none.
    """
    found = find_browser()
    if found is None:
        raise RuntimeError(NEEDED)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = found[0]
    # As root Chromium runs without its sandbox or not at all.
    for switch in (*_SWITCHES, *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(found[1]))
    try:
        resize(driver, width, height)
        prefers = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": prefers})
        yield driver
    finally:
        driver.quit()


def resize(driver: Any, width: int, height: int) -> None:
    """Give the page a size in CSS pixels; a window has a smallest one, of which pages know nothing then."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def complaints(driver: Any) -> list[str]:
    """Warnings and errors of the console since the last call."""
    return [line["message"] for line in driver.get_log("browser") if line["level"] in ("WARNING", "SEVERE")]


def requested(driver: Any) -> list[str]:
    """URLs that were asked for since the last call."""
    events = [json.loads(line["message"])["message"] for line in driver.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
