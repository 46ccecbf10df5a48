"""docs/serving.md: every line of curl is run, against a server of a tiny model, and answers as shown."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fsa.judge.regressor import RegressorJudge
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from tests.factories.labelled import made_up
from tests.factories.policies import make_policy
from tests.fsa.serve.listening import listening
from tests.fsa.serve.small import spread_rewards

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "serving.md").read_text("utf-8")
LINES = re.findall(r"```console\n\$ (curl [^\n]+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def port(tmp_path: Path, llama: Path) -> Iterator[int]:
    """A server of a tiny reward model, a tiny policy and a judge, in a thread of this process."""
    judge = RegressorJudge()
    judge.learn(made_up(40))
    judge.save(tmp_path / "judge")
    settings = Settings("model", store=f"sqlite:///{tmp_path / 'p.db'}", judge=str(tmp_path / "judge"))
    with listening(Service(settings, spread_rewards(), make_policy(llama))) as port:
        yield port


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_line_answers_as_the_page_shows(port):
    for command, shown in LINES:
        here = command.replace("localhost:8000", f"127.0.0.1:{port}")
        done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, command
        said = json.loads(done.stdout)
        if shown and "..." not in shown:
            assert shape_of(said) == shape_of(json.loads(shown)), command
        assert ("error" in done.stdout) == ("error" in shown), done.stdout


def shape_of(value):
    """A JSON value with names and kinds alone."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_every_route_stands_on_the_page(client):
    paths = [path.replace("{person}", "ann") for path in client.get("/openapi.json").json()["paths"]]
    assert len(paths) >= 18
    assert not [path for path in paths if path.replace("{choice}", "$(curl") not in PAGE]


def test_container_and_compose_files_name_what_is_there():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    dockerfile = compose["services"]["server"]["build"]["dockerfile"]
    text = (ROOT / dockerfile).read_text("utf-8")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY")]
    assert all((ROOT / name).exists() for names in copied for name in names)
    # What the package is built from: without setup.py the presets and the sandbox's sentences stay outside.
    assert {"pyproject.toml", "setup.py", "constraints.txt", "fsa", "configs"} <= {
        name for names in copied for name in names
    }
    assert compose["services"]["server"]["depends_on"]["database"]["condition"] == "service_healthy"
