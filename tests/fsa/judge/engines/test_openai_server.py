"""The engine against a real server process on loopback: `transformers serve` with random weights.

This server answers 200 and ignores both the schema and `n`; nothing that it says may be scored unchecked.
"""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from fsa.errors import ConfigError
from fsa.judge.comparative import ComparativeJudge
from fsa.judge.engines.openai_engine import OpenAIEngine
from fsa.judge.letter_choice import LetterChoice
from fsa.judge.scores import Probe
from tests.factories.judges import byte_model

SERVER_NEEDS = ("fastapi", "uvicorn", "openai", "pydantic")
missing = [name for name in SERVER_NEEDS if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing), reason=f"transformers serve needs {', '.join(missing)}"),
]
PROBES = [Probe(str(i), f"prompt {i}", ("one", "two")) for i in range(3)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and model's name of a server that runs until the module's tests are done."""
    folder = byte_model(tmp_path_factory.mktemp("served") / "model", chat=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder.parent / "log"
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1", str(folder)
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        try:
            with urlopen(url, timeout=1) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def test_a_server_that_ignores_the_schema_is_asked_as_often_as_wanted_and_scores_nothing(server):
    url, model = server
    judge = ComparativeJudge(OpenAIEngine(model, url), ["care"], samples=2, max_reasoning=4)
    every = judge.score(PROBES)
    assert judge.cost.requests == 3 * 2  # one an answer: asking for n would have given one of them
    assert judge.cost.generated_tokens > 0
    assert judge.cost.prompt_tokens > 0
    for scores in every:
        assert np.isnan(scores.mean).all()
        assert len(scores.problems) == 2
        # Random bytes: they run to the limit, or stop somewhere; JSON they are not.
        assert set(scores.problems) <= {"truncated", "unconstrained output"}


def test_a_server_that_ignores_the_schema_chooses_nothing(server):
    url, model = server
    choices = LetterChoice(OpenAIEngine(model, url), max_reasoning=4).choose(PROBES)
    assert all(choice.responses == () and len(choice.problems) == 1 for choice in choices)


def test_an_address_that_the_server_does_not_know_is_one_clear_error(server):
    url, model = server
    with pytest.raises(ConfigError, match="HTTP 404, there is no such address or model"):
        ComparativeJudge(OpenAIEngine(model, f"{url}/elsewhere"), ["care"]).score(PROBES)
