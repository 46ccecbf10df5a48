"""What a new user stumbled over."""

import json
import pickle
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


def test_fault_N6_the_installation_is_a_plain_path():
    assert "editable_mode=compat" in (ROOT / "Makefile").read_text()


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


def test_fault_N14_the_judge_s_files_are_described():
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md"]
    text = "\n".join(page.read_text() for page in pages)
    for field in ('"labels"', '"responses"', '"at_least"'):
        assert field in text, field
