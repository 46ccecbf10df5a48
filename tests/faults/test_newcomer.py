"""What a new user stumbled over."""

import json
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import fsa
from tests.faults.commands import ROOT, command, lines
from tests.faults.conftest import train_policy


def opened(folder: Path) -> fsa.RewardModel:
    return fsa.RewardModel.from_pretrained(folder)


def test_fault_N12_the_readme_s_suite_writes_over_no_page():
    for name in ("small", "full"):
        text = (ROOT / "configs" / "suite" / f"{name}.yaml").read_text()
        assert not [line for line in text.splitlines() if line.startswith("docs:")], name


def test_fault_N1_one_prompt_is_not_taken_for_its_letters(policy):
    person = fsa.Policy.from_pretrained(policy).for_user([])
    with pytest.raises(ValueError, match=r"\[prompt\]"):
        person.generate("How do I boil an egg?", max_new_tokens=1)


def test_fault_N2_a_policy_opens_from_any_folder(llama, texts, tmp_path, monkeypatch):
    monkeypatch.chdir(llama.parent)
    train_policy(tmp_path / "run", texts, llama.name)
    monkeypatch.chdir(tmp_path)
    try:
        policy = fsa.Policy.from_pretrained(tmp_path / "run")
    except Exception as error:
        raise AssertionError(f"it opens from one folder alone: {error}") from error
    policy.for_user([]).save_adapter(tmp_path / "adapter")
    base = json.loads((tmp_path / "adapter/adapter_config.json").read_text())["base_model_name_or_path"]
    assert Path(base).is_absolute()


def test_fault_N5_an_adapter_brings_the_chat_template_that_training_used(policy, tmp_path):
    from jinja2 import Template

    fsa.Policy.from_pretrained(policy).for_user([]).save_adapter(tmp_path / "adapter")
    path = tmp_path / "adapter" / "chat_template.jinja"
    assert path.exists()
    shown = Template(path.read_text()).render(messages=[{"role": "user", "content": "Hi"}])
    assert shown == "Hi\n\n"


def test_fault_N6_a_checkout_is_found_from_the_folder_that_holds_it(tmp_path):
    checkout, site = tmp_path / "fsa", tmp_path / "site"
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if name.startswith("fsa/") or "/" not in name:
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    # What `pip install -e .` asks setuptools for; the wheel's files are all that gets installed.
    build = "from setuptools import build_meta; build_meta.build_editable('..')"
    done = subprocess.run([sys.executable, "-c", build], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1500:]
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    # -ES: without what is installed in this environment, which has an fsa of its own.
    find = f"import site; site.addsitedir({str(site)!r}); import fsa; print(fsa.__file__)"
    found = subprocess.run([sys.executable, "-ES", "-c", find], cwd=tmp_path, capture_output=True, text=True)
    assert found.stdout.strip() == str(checkout / "fsa" / "__init__.py"), found


def test_fault_N9_a_model_scores_after_a_cast(run):
    model = opened(run)
    before = model.for_user([]).score("p", [[0, 1], [1, 0]]).reward
    try:
        after = model.float().for_user([]).score("p", [[0, 1], [1, 0]]).reward
    except RuntimeError as error:
        raise AssertionError(f"scoring broke: {error}") from error
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_fault_N9_a_person_is_short_in_print_and_can_be_pickled(run):
    person = opened(run).for_user([])
    assert len(repr(person)) < 300
    try:
        again = pickle.loads(pickle.dumps(person))
    except Exception as error:
        raise AssertionError(f"not pickled: {error}") from error
    mine, theirs = (each.score("p", [[0, 1]]).reward for each in (person, again))
    assert mine.tolist() == theirs.tolist()


def test_fault_N10_python_writes_as_long_answers_as_the_command(policy, texts, tmp_path):
    asked = lines(tmp_path / "p.jsonl", [{"prompt": "Hi", "user": "u0"}])
    given = ["generate", "--model", policy, "--choices", texts, "--prompts", asked]
    written = json.loads(command("fsa", *given).went_well().out)["response"]
    mine = [row for row in map(json.loads, texts.open()) if row["user"] == "u0"]
    person = fsa.Policy.from_pretrained(policy).for_user(mine)
    assert person.generate(["Hi"]) == [written]


def documented(*fields: str) -> dict[str, object]:
    """The first example of a page that has these fields, and no labels where none are asked for."""
    pages = [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"]
    blocks = [block for page in pages for block in re.findall(r"```json\n(.*?)```", page.read_text(), re.S)]
    for line in (line for block in blocks for line in block.splitlines() if line.startswith("{")):
        example = json.loads(line)
        if set(fields) <= example.keys() and ("labels" in fields) == ("labels" in example):
            return example
    raise AssertionError(f"no page has an example with {', '.join(fields)}")


def test_fault_N14_the_judge_takes_the_files_that_the_pages_describe(tmp_path):
    target = tmp_path / "target.json"
    target.write_text(json.dumps(documented("levels", "weights", "at_least")))
    asked = documented("prompt", "responses")
    labelled = documented("prompt", "responses", "labels")
    examples = lines(tmp_path / "examples.jsonl", [labelled, labelled | {"prompt": "Or milk?"}])
    candidates = lines(tmp_path / "candidates.jsonl", [asked])
    given = ["--target", target, "--candidates", candidates, "--examples", examples]
    given += ["--judge", ROOT / "configs/judge/length.yaml"]
    (answer,) = map(json.loads, command("fsa", "judge", *given).went_well().out.splitlines())
    assert answer.items() >= asked.items()
    assert answer["choice"] in (0, 1)


def test_fault_N14_generate_takes_the_prompts_that_a_page_describes(policy, texts, tmp_path):
    asked = documented("prompt", "user", "id")
    mine = lines(tmp_path / "mine.jsonl", (row | {"user": "ann"} for row in map(json.loads, texts.open())))
    given = ["--choices", mine, "--prompts", lines(tmp_path / "prompts.jsonl", [asked])]
    ended = command("fsa", "generate", "--model", policy, *given, "--max_new_tokens", "2").went_well()
    (answer,) = map(json.loads, ended.out.splitlines())
    assert answer.items() >= asked.items()
