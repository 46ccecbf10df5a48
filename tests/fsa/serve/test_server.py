"""Real processes: killed, stopped, side by side, and left waiting."""

import gc
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from fsa.serve.server import _settled
from tests.faults.commands import command
from tests.fsa.serve.processes import ServerProcess
from tests.fsa.serve.small import TEXTS, choices, text_rewards

pytestmark = pytest.mark.slow  # every process imports torch


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "model"
    text_rewards().save_pretrained(folder)
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def add(server: ServerProcess, number: int) -> bool:
    """Send one choice under its own key; whether it was answered."""
    body, headers = {"choices": choices(1, first=number)}, {"Idempotency-Key": f"key-{number}"}
    try:
        answer = server.client.post("/v1/people/ann/choices", json=body, headers=headers)
    except httpx.TransportError:
        return False
    return answer.status_code in (200, 201)


def kept(server: ServerProcess) -> list[str]:
    held = server.client.get("/v1/people/ann/choices").json()["choices"]
    return [one["record"]["prompt"] for one in held]


def test_what_was_answered_survives_kill_9_and_nothing_is_there_twice(model, store_url, log):
    answered: set[int] = set()
    with ServerProcess(model, store_url, log) as server:
        threading.Timer(0.5, server.process.kill).start()
        with ThreadPoolExecutor(8) as threads:
            done = list(threads.map(lambda number: (number, add(server, number)), range(400)))
        answered = {number for number, is_done in done if is_done}
        assert server.process.wait(10) == -signal.SIGKILL
    assert 0 < len(answered) < 400
    with ServerProcess(model, store_url, log) as server:
        before = kept(server)
        assert {f"Question {number}?" for number in answered} <= set(before)
        # Whoever got no answer sends again, whoever did as well: the key makes that harmless.
        assert all(add(server, number) for number in range(0, 400, 10))
        again = kept(server)
    assert len(again) == len(set(again))
    assert again[: len(before)] == before


def test_stopping_answers_what_was_accepted(model, tmp_path, log):
    store = f"sqlite:///{tmp_path / 'people.db'}"
    # Requests wait a second for company, so there are some in flight when the signal comes.
    with ServerProcess(model, store, log, "--max-wait-ms", "1000") as server:
        with ThreadPoolExecutor(4) as threads:
            body = {"responses": TEXTS}
            asked = [threads.submit(server.client.post, "/v1/score", json=body) for _ in range(4)]
            time.sleep(0.4)
            status = server.stop()
            assert [each.result().status_code for each in asked] == [200] * 4
        assert status == 143
    assert "Traceback" not in log.read_text()


def test_two_workers_and_two_servers_on_one_database_serve_the_same_people(model, store_url, log):
    first, second = (ServerProcess(model, store_url, log, *more) for more in (["--workers", "2"], []))
    with first, second:  # they start at once
        for number in range(10):
            assert add(first if number % 2 else second, number)
        wanted = text_rewards().for_user(choices(10)).score("Tea?", TEXTS).reward
        body = {"user": "ann", "prompt": "Tea?", "responses": TEXTS}
        for server in [first, second] * 5:
            server.client.headers["Connection"] = "close"  # so that either worker may get it
            said = server.client.post("/v1/score", json=body).json()["reward"]
            assert said == pytest.approx(wanted.tolist(), abs=1e-9)
        first.client.delete("/v1/people/ann")
        assert second.client.post("/v1/score", json=body).status_code == 404
        # Metrics are of both workers together.
        page = first.client.get("/metrics").text
        counted = 'fsa_requests_total{method="POST",route="/v1/score",status="200"} 5.0'
        assert counted in page


def test_a_head_that_does_not_end_is_hung_up_on(model, tmp_path, log):
    with ServerProcess(model, f"sqlite:///{tmp_path / 'people.db'}", log) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
            slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: " + b"a" * 70_000)
            assert b"400" in slow.recv(100)
        assert server.client.get("/health").status_code == 200


def test_a_model_that_is_none_is_one_line_and_no_traceback(tmp_path):
    store = f"sqlite:///{tmp_path / 'people.db'}"
    ended = command("fsa", "serve", "--model", tmp_path, "--store", store)
    ended.refused(str(tmp_path))
    assert ended.code == 1
    assert ended.err.startswith("error: ")


def test_without_a_key_no_other_machine_is_served(model, tmp_path):
    store = f"sqlite:///{tmp_path / 'people.db'}"
    ended = command("fsa", "serve", "--model", model, "--store", store, "--host", "0.0.0.0")
    ended.refused("there is no key")
    assert ended.code == 1


def test_what_is_there_for_good_is_out_of_garbage_collection():
    """A whole collection walks torch and transformers: 0.3 s in which a request waits."""
    app = FastAPI()
    try:
        assert _settled(app) is app
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()
