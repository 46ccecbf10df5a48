"""Faults of command lines: their options, what they write, and where it goes."""

import json
import os
import subprocess

import pytest

import fsa
from tests.faults.commands import adapter, command, lines, process, score


def test_fault_F13_a_folder_as_out_is_found_before_the_work(run, choices, candidates, tmp_path):
    score("nowhere-at-all", choices, candidates, "--out", tmp_path).refused("folder")


def test_fault_F13_old_results_stay_where_new_ones_cannot_be_made(run, choices, candidates, tmp_path):
    out = tmp_path / "answers.jsonl"
    out.write_text("old\n")
    rows = [json.loads(line) | {"note": "b\ud800"} for line in candidates.open()]
    lines(candidates, rows)
    ended = score(run, choices, candidates, "--out", out)
    assert ended.code == 1
    assert out.read_text() == "old\n"


def test_fault_F18_a_pipe_is_refused_and_does_not_hang(run, choices, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = subprocess.Popen(["sh", "-c", f"cat {choices} > {tmp_path / 'pipe'}"])
    started = process("tests.faults.fsa_command", "score", "--model", run,
                      "--choices", tmp_path / "pipe", "--candidates", choices)  # fmt: skip
    try:
        _, err = started.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        raise AssertionError("it hangs") from None
    finally:
        started.kill()
        writer.kill()
    assert started.returncode == 1, err[-500:]
    assert "pipe" in err
    assert "Illegal seek" not in err


@pytest.mark.parametrize("user", [5, ["u0"], {"a": 1}])
def test_fault_F34_a_user_that_is_no_name_is_refused_before_the_model_is_opened(user, texts, tmp_path):
    asked = lines(tmp_path / "p.jsonl", [{"prompt": "Hi", "user": user}])
    given = ["generate", "--model", tmp_path / "nowhere", "--choices", texts, "--prompts", asked]
    command("fsa", *given).refused("p.jsonl:1", "user")


def test_fault_F35_no_two_users_share_a_folder_on_any_file_system(policy, texts, tmp_path):
    rows = [json.loads(line) for line in texts.open()][:12]
    for row, name in zip(rows, ["Ann", "ANN", "ann"] * 4, strict=True):
        row["user"] = name
    adapter(policy, lines(tmp_path / "people.jsonl", rows), tmp_path / "out").went_well()
    names = [path.name.lower() for path in (tmp_path / "out").iterdir()]
    assert len(set(names)) == 3


def test_fault_F35_out_that_cannot_be_a_folder_is_refused(policy, texts, tmp_path):
    (tmp_path / "file").write_text("")
    adapter(policy, texts, tmp_path / "file").refused("cannot be written")


@pytest.mark.parametrize("name", ["", " "])
def test_fault_F36_a_blank_name_opens_nothing(name, run, choices, candidates, policy, prompts, monkeypatch):
    monkeypatch.chdir(run)
    score(name, choices, candidates).refused("blank")
    with pytest.raises(ValueError, match="blank"):
        fsa.RewardModel.from_pretrained(name)
    monkeypatch.chdir(policy)
    given = ["--model", name, "--choices", choices]
    command("fsa", "generate", *given, "--prompts", prompts).refused("blank")
    command("fsa", "adapter", *given, "--out", run / "adapter").refused("blank")
    with pytest.raises(ValueError, match="blank"):
        fsa.Policy.from_pretrained(name)


def test_fault_F37_a_plain_locale_takes_every_script(run, choices, tmp_path):
    row = {"user": "u0", "prompt": "p", "response": [0, 1], "note": "žluťoučký 犬 🐕"}
    started = process(
        "tests.faults.fsa_command", "score", "--model", run, "--choices", choices,
        "--candidates", lines(tmp_path / "c.jsonl", [row]),
        environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, encoding="utf-8",
    )  # fmt: skip
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err[-500:]
    assert json.loads(out).items() >= row.items()


def test_fault_F37_a_reader_that_goes_is_no_error_of_ours(run, choices, candidates):
    given = ["--model", run, "--choices", choices, "--candidates", candidates]
    started = process("tests.faults.fsa_command", "score", *given)
    started.stdout.close()  # as in `fsa score ... | true`
    err = started.stderr.read()
    started.wait(60)
    started.stderr.close()
    assert "BrokenPipeError" not in err, err[-800:]
    assert "error" not in err
    assert started.returncode == 141  # 128 and SIGPIPE's number, as shells say it


def test_fault_F38_a_judge_of_nothing_and_a_target_named_twice_are_refused(tmp_path):
    asked = lines(tmp_path / "c.jsonl", [{"prompt": "Tea?", "responses": ["Yes.", "No."]}])
    (tmp_path / "judge.yaml").write_text("judge: null\n")
    (tmp_path / "t.json").write_text('{"verbosity": 0.25}')
    given = ["fsa", "judge", "--candidates", asked]
    command(*given, "--target", tmp_path / "t.json", "--judge", tmp_path / "judge.yaml").refused("judge")
    (tmp_path / "twice.json").write_text('{"verbosity": 0.25, "verbosity": 0.5}')
    command(*given, "--target", tmp_path / "twice.json").refused("twice")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    command(*given, "--target", tmp_path / "deep.json").refused("deep")


def test_fault_F39_one_number_is_a_list_of_one(run):
    given = ["--run", run, "--context-sizes", "0", "--episodes", "20"]
    command("eval.context_curve", *given).went_well()


def test_fault_F40_the_version_is_known_and_errors_are_one_line(run):
    assert "0." in command("fsa", "--version").went_well().out
    ended = command("train.reward", "--sead", "1")
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1, ended.err


def test_fault_F40_opening_a_policy_says_nothing(policy, texts, prompts):
    given = ["generate", "--model", policy, "--choices", texts, "--prompts", prompts]
    started = process("tests.faults.fsa_command", *given, "--max_new_tokens", "1")
    out, err = started.communicate(timeout=120)
    assert started.returncode == 0, err[-800:]
    assert len(out.splitlines()) == 2
    assert err == "", err[-1500:]


def test_fault_F42_no_targets_are_refused_in_words(run):
    ended = command("eval.context_curve", "--run", run, "--max-targets", "0", "--episodes", "20")
    ended.refused("max_targets")


def test_fault_F43_a_suite_of_ones_own_leaves_the_published_page_alone():
    shown = command("eval.suite", "--help").out
    assert "--docs" in shown
    assert "docs/results.md" not in shown
