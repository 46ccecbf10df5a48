"""What the page shows: texts as texts, numbers, a policy's answers, errors, and what is held."""

import json

import httpx2 as httpx
import pytest

from eval.bench.browser import complaints
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from tests.factories.lines import jsonl
from tests.factories.policies import make_policy
from tests.factories.reward_models import taste_model
from tests.factories.templated import liked
from tests.fsa.serve.listening import listening
from tests.fsa.serve.page.visitor import Visitor, api, until
from tests.fsa.serve.small import TEXTS, spread_rewards

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title = 'run'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'run'\">"


def test_markup_in_a_response_is_shown_and_not_run(driver, templated_run, tmp_path, windows):
    texts = [SCRIPT, IMAGE, "<b>plain</b>"]
    rows = [{"prompt": f"<i>p{i}</i>", "response": text} for i in range(2) for text in texts]
    settings = Settings(
        str(templated_run), store=f"sqlite:///{tmp_path}/p.db", candidates=jsonl(tmp_path / "c", rows)
    )
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


def test_numbers_and_chats_can_be_chosen_between_as_well(driver, tmp_path, windows):
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tea?"}]
    rows = [{"prompt": chat, "response": [i / 2, -i]} for i in range(4)]
    store = f"sqlite:///{tmp_path}/p.db"
    settings = Settings("model", store=store, candidates=jsonl(tmp_path / "c", rows))
    with listening(Service(settings, taste_model())) as port:
        person = Visitor(driver, port)
        assert person.text("prompt") == "Be brief.\nTea?"
        shown = person.options()
        assert set(shown) < {"0, 0", "0.5, -1", "1, -2", "1.5, -3"}
        person.press("2")
        [held] = api(port, f"/v1/people/{person.name}/choices")["choices"]
        assert ", ".join(f"{number:g}" for number in held["record"]["options"][1]) == shown[1]
        assert [bar.partition(":")[0] for bar in person.bars()] == ["number 1", "number 2"]


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


def test_a_server_with_keys_is_asked_with_one(driver, templated_run, tmp_path, windows):
    settings = Settings(
        str(templated_run),
        store=f"sqlite:///{tmp_path}/p.db",
        candidates=str(templated_run / "candidates.jsonl"),
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
