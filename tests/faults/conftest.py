"""Small data, one trained run of it, and one tiny policy: made once for all tests of faults."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.factories.byte_llama import save_byte_llama
from tests.faults.commands import command, lines, train


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def choices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 users, 3 choices each, two numbers an option; half like the first number large, half small."""
    draw = random.Random(0)

    def choice(user: int, prompt: int) -> dict[str, Any]:
        a, b = ([round(draw.gauss(0, 1), 3) for _ in range(2)] for _ in range(2))
        likes_b = (b[0] > a[0]) == (user % 2 == 0)
        return {"user": f"u{user}", "prompt": f"p{prompt}", "options": [a, b], "chosen": int(likes_b)}

    folder = tmp_path_factory.mktemp("data")
    return lines(folder / "three_each.jsonl", (choice(user, i) for user in range(60) for i in range(3)))


@pytest.fixture(scope="session")
def _trained(choices: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "trained"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        train(out, choices).went_well()
    return out


@pytest.fixture
def run(_trained: Path, tmp_path: Path) -> Path:
    """A finished run of one's own."""
    return Path(shutil.copytree(_trained, tmp_path / "run"))


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    """Four candidates of one user."""
    rows = [{"user": "u0", "prompt": "p", "response": [i / 2, 0.5]} for i in range(4)]
    return lines(tmp_path / "candidates.jsonl", rows)


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model with random weights and one token a byte."""
    return save_byte_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 users, 4 choices each between texts."""
    draw = random.Random(1)
    words = ["tea", "milk", "rain", "sun", "a long walk", "sleep"]
    rows = []
    for user in range(30):
        for i in range(4):
            a, b = draw.sample(words, 2)
            rows.append({"user": f"u{user}", "prompt": f"What now, {i}?", "options": [a, b], "chosen": 0})
    return lines(tmp_path_factory.mktemp("texts") / "texts.jsonl", rows)


def train_policy(out: Path, choices: Path, backbone: Any, *more: Any) -> None:
    """A policy of two steps."""
    command(
        "train.policy", "--source", "fsa.choices.jsonl.Jsonl", "--source.path", choices,
        "--splits.by", "user", "--features.backbone", backbone, "--projection.num_components", "3",
        "--scorer", "fsa.models.policy.PolicyScorer", "--scorer.backbone", backbone, "--scorer.rank", "2",
        "--scorer.conditioning", "fsa.conditioning.lora_gain.LoraGain", "--d_belief", "2",
        "--episodes.users_per_step", "4", "--episodes.max_context", "2", "--episodes.max_targets", "1",
        "--episodes.validation_episodes", "4", "--episodes.context_sizes", "0,1", "--loop.max_steps", "2",
        "--loop.validate_every", "2", "--loop.progress", "false", "--loop.accelerator", "cpu",
        "--loop.devices", "1", "--out", out, *more,
    ).went_well()  # fmt: skip


@pytest.fixture(scope="session")
def policy(llama: Path, texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a tiny policy; not to be written to."""
    out = tmp_path_factory.mktemp("policy") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        train_policy(out, texts, llama)
    return out


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    return lines(tmp_path / "prompts.jsonl", [{"prompt": f"Say {i}.", "user": "u0"} for i in range(2)])


def edit(folder: Path, change: Any, name: str = "config.json") -> Path:
    """Change a JSON file in a folder by a function of its content."""
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return folder
