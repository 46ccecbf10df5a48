"""The page by keyboard, by screen reader, on a phone, and who else hears of it."""

import pytest

from eval.bench.browser import complaints, requested, resize
from tests.factories.templated import liked
from tests.fsa.serve.page.visitor import Keys, api, until

pytestmark = pytest.mark.slow

CONTROLS = {"button", "combobox", "checkbox", "link", "textbox", "image", "progressindicator", "progressbar"}


def test_all_can_be_done_by_the_keyboard_alone(visit, port):
    person = visit()
    for key in ("1", "2", "0"):
        options, prompt = person.options(), person.text("prompt")
        person.press(key)
        last = api(port, f"/v1/people/{person.name}/choices")["choices"][-1]["record"]
        assert (last["prompt"], last["options"]) == (prompt, options)
        assert last["chosen"] == {"1": 0, "2": 1, "0": "tie"}[key]
    reached = []
    for _ in range(30):
        reached.append(person.asked("document.activeElement.id"))
        if reached[-1] == "undo":
            person.press(Keys.ENTER)
        if reached[-1] == "forget":
            break
        person.press(Keys.TAB)
    assert person.text("count") == "2 choices so far"
    assert {"first", "second", "neither", "undo", "which", "whole", "export", "forget"} <= set(reached)
    person.press(Keys.ENTER)
    assert person.asked("document.activeElement.id") == "keep"  # what is pressed by mistake erases nothing
    person.press(Keys.TAB, Keys.ENTER)
    until(person.driver, lambda: person.text("gone-words"))
    assert person.text("gone-words").startswith("3 choices erased")


def test_keys_are_left_alone_where_somebody_types_or_does_not_want_them(visit):
    person = visit()
    person.element("keys").click()
    person.press("1")
    assert person.text("count") == "0 choices so far"
    person.element("keys").click()
    person.press("1")
    assert person.text("count") == "1 choice so far"


def test_a_screen_reader_has_a_name_for_every_control_and_is_told_what_changed(visit):
    person = visit()
    person.choose(lambda text: liked(text, "long"))
    tree = person.tree()
    named = [(role, name) for role, name in tree if role.lower() in CONTROLS]
    assert len(named) >= 15
    assert [role for role, name in named if not name.strip()] == []
    headings = [name for role, name in tree if role == "heading"]
    assert headings[:2] == ["Choose, and watch the model understand", "Which answer do you prefer?"]
    assert any(name.startswith("First answer: ") for _, name in named)
    assert ("status", "") in tree or any(role == "status" for role, _ in tree)
    assert person.text("live").startswith("Noted. ")
    assert "Next question: What do I do about" in person.text("live")
    assert "length" in person.element("map").get_attribute("aria-label")


@pytest.mark.parametrize("width", [400, 1200])
def test_no_width_needs_scrolling_sideways(visit, driver, width):
    person = visit()
    try:
        resize(driver, width, 800)
        person.choose(lambda text: liked(text, "long"))
        assert person.asked("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
        outside = """Array.from(document.querySelectorAll("main *, header *"))
            .filter((one) => one.checkVisibility() && !one.closest("svg") && !one.matches(".unseen"))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML)"""
        assert person.asked(outside) == []
    finally:
        resize(driver, 1200, 900)


def test_the_console_is_silent_and_no_request_leaves_this_machine(visit, driver, port):
    complaints(driver), requested(driver)
    person = visit()
    person.choose(lambda text: liked(text, "long"))
    person.click("undo")
    person.click("export")
    asked = requested(driver)
    assert len(asked) > 10
    own = f"http://127.0.0.1:{port}/"
    assert [url for url in asked if not url.startswith((own, f"blob:{own}"))] == []
    assert complaints(driver) == []
