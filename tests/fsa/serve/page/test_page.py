"""The page at /, in a real Chromium against a real server of a model that knows four tastes."""

import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from eval.bench.browser import NEEDED, browser, complaints, find_browser, requested, resize
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from tests.factories.lines import jsonl
from tests.factories.policies import make_policy
from tests.factories.templated import liked, train_templated
from tests.fsa.serve.listening import listening
from tests.fsa.serve.page.visitor import Keys, Visitor, until
from tests.fsa.serve.small import TEXTS, spread_rewards

pytestmark = [pytest.mark.skipif(find_browser() is None, reason=NEEDED), pytest.mark.slow]

SCRIPT = "<script>document.title = 'run'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'run'\">"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_templated(tmp_path_factory.mktemp("templated"))


@pytest.fixture(scope="module")
def port(run: Path) -> Iterator[int]:
    with listening(Service(Settings(str(run), candidates=str(run / "candidates.jsonl")))) as port:
        yield port


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
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


def api(port: int, path: str) -> Any:
    return httpx.get(f"http://127.0.0.1:{port}{path}").json()


@pytest.mark.parametrize(
    ("taste", "opposite"), [("long", "short"), ("quiet", "loud")], ids=["length", "loudness"]
)
def test_five_clicks_turn_the_top_answer_to_ones_taste_and_opposite_ones_to_the_opposite(
    visit, taste, opposite
):
    tops = []
    for wanted in (taste, opposite):
        person = visit()
        before = person.ranking()
        for _ in range(5):
            person.choose(lambda text, wanted=wanted: liked(text, wanted))
        assert person.text("count") == "5 choices so far"
        ranking = person.ranking()
        assert sorted(ranking) == sorted(before)
        # The upper half is her half: four of the eight candidates are of either style.
        cut = sorted(liked(text, wanted) for text in ranking)[4]
        assert liked(ranking[0], wanted) >= cut
        tops.append(ranking[0])
        shares = [int(share.removesuffix(" %")) for share in person.all_texts("#ranking .share")]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(100, abs=4)
    assert liked(tops[0], taste) > liked(tops[1], taste)


def test_two_people_in_two_windows_are_never_mixed(visit, port):
    ann, bob = visit(), visit()
    for _ in range(3):
        with ann:
            ann.choose(lambda text: liked(text, "long"))
        with bob:
            bob.choose(lambda text: liked(text, "short"))
    names, said = [], []
    for person, wanted in ((ann, "long"), (bob, "short")):
        with person:
            names.append(person.name)
            said.append(person.bars())
            held = api(port, f"/v1/people/{person.name}/choices")["choices"]
            assert len(held) == 3
            for each in held:
                record = each["record"]
                best = max(record["options"], key=lambda text, wanted=wanted: liked(text, wanted))
                assert liked(record["options"][record["chosen"]], wanted) == liked(best, wanted)
    assert names[0] != names[1]
    assert said[0] != said[1]


def test_undo_restores_the_belief_exactly_and_a_reload_keeps_it(visit, port):
    person = visit()
    for _ in range(2):
        person.choose(lambda text: liked(text, "loud"))
    belief = f"/v1/people/{person.name}/belief"
    before, bars, ranking = api(port, belief), person.bars(), person.ranking()
    person.choose(lambda text: liked(text, "quiet"))
    assert api(port, belief)["mean"] != before["mean"]
    assert person.bars() != bars
    person.click("undo")
    assert api(port, belief) == before
    assert (person.bars(), person.ranking()) == (bars, ranking)
    person.driver.refresh()
    person.wait()
    assert api(port, belief) == before
    assert (person.bars(), person.ranking()) == (bars, ranking)
    assert person.text("count") == "2 choices so far"


def test_neither_says_nothing_and_is_not_asked_again(visit, port):
    person = visit()
    belief = f"/v1/people/{person.name}/belief"
    before, asked = api(port, belief)["mean"], [[*sorted(person.options()), person.text("prompt")]]
    for _ in range(3):
        person.click("neither")
        asked.append([*sorted(person.options()), person.text("prompt")])
    assert api(port, belief)["mean"] == pytest.approx(before)
    assert len(set(map(tuple, asked))) == 4
    records = [each["record"] for each in api(port, f"/v1/people/{person.name}/choices")["choices"]]
    assert [record["chosen"] for record in records] == ["tie"] * 3


def test_forget_me_removes_the_person_from_the_database(visit, run):
    person = visit()
    name = person.name
    person.choose(lambda text: liked(text, "loud"))

    def rows() -> list[int]:
        with sqlite3.connect(f"file:{run / 'people.db'}?mode=ro", uri=True) as database:
            return [
                database.execute(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (name,)).fetchone()[0]
                for table, column in (("person", "id"), ("choice", "person"))
            ]

    assert rows() == [1, 1]
    person.element("forget").click()
    person.element("forget-now").click()
    until(person.driver, lambda: person.text("gone-words"))
    assert rows() == [0, 0]
    assert person.text("gone-words") == "1 choice erased; this server holds nothing about you."
    assert name not in person.driver.page_source
    person.click("anew")
    assert person.name != name
    assert person.text("count") == "0 choices so far"


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


CONTROLS = {"button", "combobox", "checkbox", "link", "textbox", "image", "progressindicator", "progressbar"}


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


def test_markup_in_a_response_is_shown_and_not_run(driver, run, tmp_path, windows):
    texts = [SCRIPT, IMAGE, "<b>plain</b>"]
    rows = [{"prompt": f"<i>p{i}</i>", "response": text} for i in range(2) for text in texts]
    settings = Settings(str(run), store=f"sqlite:///{tmp_path}/p.db", candidates=jsonl(tmp_path / "c", rows))
    with listening(Service(settings)) as port:
        person = Visitor(driver, port)
        for _ in range(3):
            assert person.text("prompt") == "<i>p1</i>"
            assert set(person.options()) <= set(texts)
            person.press("1")
        assert sorted(person.ranking()) == sorted(texts)
        assert person.text("why") == "nothing is left to ask."
        assert person.driver.title == "fsa: choose, and watch the model understand"
        assert person.asked("document.querySelectorAll('main img, main script, main b, main i').length") == 0
        assert complaints(driver) == []


def test_texts_of_ones_own_are_loaded_as_texts(visit, tmp_path):
    person = visit()
    rows = [{"prompt": "Mine?", "response": text} for text in (SCRIPT, "Yes.", "No!")]
    rows += [{"prompt": "Yours?", "response": text} for text in ("Never, not in a hundred years.", "Ever!")]
    person.element("file").send_keys(jsonl(tmp_path / "own.jsonl", rows))
    person.wait()
    assert person.text("prompt") == "Yours?"
    assert sorted(person.ranking()) == sorted([SCRIPT, "Yes.", "No!"])
    person.choose(lambda text: liked(text, "loud"))
    assert person.text("count") == "1 choice so far"
    person.element("file").send_keys(jsonl(tmp_path / "bad.jsonl", [{"prompt": "Mine?"}]))
    person.wait()
    assert "line 1 of the file is no object" in person.text("error")


def test_with_a_policy_its_answers_before_and_now_stand_side_by_side(driver, llama, tmp_path, windows):
    rows = [{"prompt": "w1 w2 w3", "response": text} for text in TEXTS]
    store = f"sqlite:///{tmp_path}/p.db"
    settings = Settings("model", store=store, candidates=jsonl(tmp_path / "c", rows), max_tokens=8)
    with listening(Service(settings, spread_rewards(), make_policy(llama))) as port:
        person = Visitor(driver, port)
        person.press("1")
        until(driver, lambda: person.text("now-title") == "To you, after 1 choice")
        body = {"messages": [{"role": "user", "content": "w1 w2 w3"}], "max_tokens": 8, "temperature": 0}
        for who, shown in (({}, "before"), ({"user": person.name}, "now")):
            said = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json={**body, **who}).json()
            assert person.text(shown) == said["choices"][0]["message"]["content"]


def test_a_server_with_keys_is_asked_with_one(driver, run, tmp_path, windows):
    settings = Settings(
        str(run), store=f"sqlite:///{tmp_path}/p.db", candidates=str(run / "candidates.jsonl")
    )
    service = Service(settings)
    with listening(service) as port:
        key = service.keys.add("acme", ["read", "write", "erase"])
        person = Visitor(driver, port)
        assert "wants a key" in person.text("error")
        person.element("key").send_keys(key)
        person.element("key").submit()
        person.wait()
        assert person.text("count") == "0 choices so far"
        assert not person.element("key-form").is_displayed()
        person.press("2")
        assert person.text("count") == "1 choice so far"
        assert key not in person.driver.page_source


def test_what_fails_is_said_and_can_be_tried_again(visit, port):
    person = visit()
    held = person.name
    httpx.delete(f"http://127.0.0.1:{port}/v1/people/{held}")
    # Elsewhere they were forgotten: the choice makes them anew.
    person.press("1")
    assert person.text("count") == "1 choice so far"
    person.driver.execute_script("window.fetch = () => Promise.reject(new TypeError('Failed to fetch'))")
    person.press("1")
    assert "Failed to fetch" in person.text("error")
    assert person.element("error").is_displayed()


def test_export_holds_what_the_server_holds(visit, driver, port, tmp_path):
    person = visit()
    person.press("1")
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    person.click("export")
    path = tmp_path / f"{person.name}.json"
    until(driver, path.exists)
    assert json.loads(path.read_text()) == api(port, f"/v1/people/{person.name}/export")
