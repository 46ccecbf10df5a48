"""A person at the page, as a browser's driver acts for them."""

import json
from collections.abc import Callable
from typing import Any

import httpx2 as httpx

try:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys as Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:  # tests that open a browser are skipped then, by name
    Keys = None


class Visitor:
    """Somebody in a window of their own.

    Args:
        driver: Of the browser.
        port: Of the server.
        name: Theirs, if they come back.
    """

    def __init__(self, driver: Any, port: int, name: str = "") -> None:
        self.driver, self.url = driver, f"http://127.0.0.1:{port}/"
        driver.switch_to.new_window("window")
        self.window = driver.current_window_handle
        driver.get(self.url + (f"#{name}" if name else ""))
        self.wait()

    def __enter__(self) -> "Visitor":
        self.driver.switch_to.window(self.window)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def name(self) -> str:
        """What the server knows them by."""
        return self.driver.current_url.partition("#")[2]

    def wait(self) -> None:
        """Until the page has settled."""
        until(self.driver, lambda: self.element("main").get_attribute("aria-busy") == "false")

    def element(self, name: str) -> Any:
        """An element by its id."""
        return self.driver.find_element("id", name)

    def text(self, name: str) -> str:
        """What an element says, shown or not."""
        return self.element(name).get_attribute("textContent")

    def all(self, css: str, attribute: str) -> list[str]:
        """An attribute of all elements of a selector."""
        return [one.get_attribute(attribute) for one in self.driver.find_elements("css selector", css)]

    def all_texts(self, css: str) -> list[str]:
        """What all elements of a selector say."""
        return [
            found.get_attribute("textContent") for found in self.driver.find_elements("css selector", css)
        ]

    def options(self) -> list[str]:
        """The two responses that are asked about."""
        return self.all_texts(".options button .text")

    def ranking(self) -> list[str]:
        """Candidates, best first."""
        return self.all_texts("#ranking .text")

    def click(self, name: str) -> None:
        """Click, and wait for what follows."""
        self.element(name).click()
        self.wait()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, and wait for what follows."""
        ActionChains(self.driver).send_keys(*keys).perform()
        self.wait()

    def choose(self, liked: Callable[[str], float]) -> None:
        """Click the response that is liked more."""
        first, second = map(liked, self.options())
        self.click("first" if first >= second else "second")

    def bars(self) -> list[str]:
        """What is believed of their likings, as a screen reader says it."""
        return [
            bar.get_attribute("aria-label") for bar in self.driver.find_elements("css selector", "#bars svg")
        ]

    def tree(self) -> list[tuple[str, str]]:
        """Role and name of everything in the accessibility tree."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        seen = [node for node in nodes if not node["ignored"]]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in seen]

    def asked(self, script: str) -> Any:
        """What a script gives."""
        return json.loads(self.driver.execute_script(f"return JSON.stringify({script})"))


def until(driver: Any, holds: Callable[[], Any]) -> None:
    """Wait until something holds."""
    WebDriverWait(driver, 30, 0.02).until(lambda _: holds())


def api(port: int, path: str) -> Any:
    """What a server says at a path."""
    return httpx.get(f"http://127.0.0.1:{port}{path}").json()
