"""Faults at the edges: configurations, checkpoints, caches, files, and what people hand in."""

import json
import os
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import fsa
from tests.faults.commands import command, lines, process, train
from tests.faults.conftest import edit, train_policy

DEEP = "[" * 960 + "]" * 960


def opened(folder: Path) -> fsa.RewardModel:
    return fsa.RewardModel.from_pretrained(folder)


def refused(folder: Path, *named: str) -> None:
    """Assert that a model is refused with fsa's own error."""
    try:
        opened(folder)
        error: Exception = Exception("it opened")
    except Exception as came:
        error = came
    assert type(error).__module__ == "fsa.errors", f"{type(error).__name__}: {error}"
    assert all(name in str(error) for name in named), str(error)


def score(run: Path, choices: Path, candidates: Path, *more: object, **environment: str):
    given = ["score", "--model", run, "--choices", choices, "--candidates", candidates]
    return command("fsa", *given, *more, **environment)


def adapter(policy: Path, choices: Path, out: Path):
    return command("fsa", "adapter", "--model", policy, "--choices", choices, "--out", out)


def of_user(texts: Path, user: str, path: Path) -> Path:
    return lines(path, (row for row in map(json.loads, texts.open()) if row["user"] == user))


def test_fault_F3_nobody_gets_the_adapter_of_another(policy, texts, tmp_path):
    out = tmp_path / "adapter"
    adapter(policy, of_user(texts, "u0", tmp_path / "ann.jsonl"), out).went_well()
    before = (out / "adapter_model.safetensors").read_bytes()
    ended = adapter(policy, of_user(texts, "u1", tmp_path / "bob.jsonl"), out)
    replaced = (out / "adapter_model.safetensors").read_bytes() != before
    assert ended.code == 1 or replaced


def test_fault_F3_an_adapter_of_other_choices_or_without_weights_is_written_anew(policy, texts, tmp_path):
    out, ann = tmp_path / "adapter", of_user(texts, "u0", tmp_path / "ann.jsonl")
    adapter(policy, ann, out).went_well()
    before = (out / "adapter_model.safetensors").read_bytes()
    (out / "adapter_model.safetensors").write_bytes(b"")
    adapter(policy, ann, out).went_well()
    assert (out / "adapter_model.safetensors").read_bytes() == before
    ann.write_text("".join(ann.read_text().splitlines(keepends=True)[:1]))
    adapter(policy, ann, out).went_well()
    assert (out / "adapter_model.safetensors").read_bytes() != before


@pytest.mark.parametrize("cache", ["/dev/null", "file"])
def test_fault_F6_a_cache_that_cannot_be_written_costs_no_result(cache, policy, texts, tmp_path):
    (tmp_path / "file").write_text("")
    rows = [{"user": "u0", "prompt": "What now?", "response": name} for name in ("tea", "rain")]
    candidates = lines(tmp_path / "candidates.jsonl", rows)
    place = cache if cache.startswith("/") else str(tmp_path / cache)
    given = ["generate", "--model", policy, "--choices", texts, "--prompts", candidates]
    ended = command("fsa", *given, "--max_new_tokens", "2", FSA_CACHE=place).went_well()
    assert len(ended.out.splitlines()) == 2


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


@pytest.mark.parametrize("field", ["response", "note", "user"])
def test_fault_F17_half_a_surrogate_pair_is_named(field, run, choices, tmp_path):
    row = {"user": "u0", "prompt": "p", "response": [0, 1]} | {field: "b\ud800"}
    score(run, choices, lines(tmp_path / "c.jsonl", [row])).refused("c.jsonl:1")


def test_fault_F17_in_python_too(policy):
    person = fsa.Policy.from_pretrained(policy).for_user([])
    with pytest.raises(ValueError, match="surrogate"):
        person.score("x", ["a\ud800"])


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


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["encoder"].update(init_args=[1, 2]),
        lambda config: config["encoder"].update(init_args="text"),
        lambda config: config["encoder"].update(class_path="fsa." + "a." * 3000 + "B"),
        lambda config: config["encoder"]["init_args"].update(rate=10**400),
        lambda config: config["features"].update(
            class_path="fsa.features.hidden_state.HiddenState", init_args={"backbone": 5}
        ),
    ],
)
def test_fault_F20_a_config_of_nonsense_is_refused(change, run):
    refused(edit(run, change))


def test_fault_F20_a_config_nested_deeply_is_refused(run):
    (run / "config.json").write_text('{"format": ' + "[" * 100_000 + "]" * 100_000 + "}")
    refused(run, "config.json")


def changed_weights(run: Path, change) -> Path:
    stored = load_file(run / "model.safetensors")
    from safetensors import safe_open

    with safe_open(run / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    name = sorted(stored)[0]
    save_file(stored | {name: change(stored[name])}, run / "model.safetensors", metadata=metadata)
    return run


@pytest.mark.parametrize("dtype", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_fault_F21_weights_of_another_kind_are_refused(dtype, run):
    refused(changed_weights(run, lambda tensor: tensor.to(dtype)), "model.safetensors")


def test_fault_F21_weights_that_overflow_are_refused(run):
    refused(changed_weights(run, lambda tensor: tensor.double() * 0 + 1e300), "not finite")


def test_fault_F22_a_damaged_table_in_the_cache_is_read_again(choices, tmp_path):
    caches = {"FSA_CACHE": str(tmp_path / "cache")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSA_CACHE", caches["FSA_CACHE"])
        train(tmp_path / "a", choices).went_well()
        (table,) = (tmp_path / "cache" / "choices").glob("*.arrow")
        content = bytearray(table.read_bytes())
        numbers = [json.loads(line)["options"][0][0] for line in choices.open()]
        place = content.find(np.float64(numbers[5]).tobytes())
        assert place > 0
        content[place : place + 8] = np.float64(1.25).tobytes()
        table.write_bytes(content)
        train(tmp_path / "b", choices).went_well()
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_fault_F22_damaged_features_are_computed_again(llama, texts, tmp_path):
    (tmp_path / "c").mkdir()
    rows = [{"user": "u0", "prompt": "What now?", "response": name} for name in ("tea", "rain")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSA_CACHE", str(tmp_path / "cache"))
        train_policy(tmp_path / "run", texts, llama)
        candidates = lines(tmp_path / "c.jsonl", rows)
        given = ["generate", "--model", tmp_path / "run", "--choices", texts, "--prompts", candidates]
        first = command("fsa", *given, "--max_new_tokens", "4").went_well().out
        stored = list((tmp_path / "cache" / "features").rglob("*.vectors"))
        assert stored
        for path in stored:
            content = path.read_bytes()
            path.write_bytes(bytes(len(content)))
        ended = command("fsa", *given, "--max_new_tokens", "4").went_well()
    assert ended.out == first
    assert "not what w" in ended.err


def test_fault_F27_a_projection_that_is_not_finite_is_called_so(run):
    stored = load_file(run / "projection.safetensors")
    from safetensors import safe_open

    with safe_open(run / "projection.safetensors", "pt") as file:
        metadata = file.metadata()
    stored["centre"] = stored["centre"] * float("nan")
    save_file(stored, run / "projection.safetensors", metadata=metadata)
    with pytest.raises(ValueError) as error:
        opened(run)
    said = str(error.value)
    assert "that are not" in said or "not finite" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(num_samples=10**18),
        lambda config: config["features"].update(
            class_path="fsa.features.hidden_state.HiddenState",
            init_args={"backbone": "minilm", "device": [1, 2]},
        ),
        lambda config: config["features"].update(
            class_path="fsa.features.hidden_state.HiddenState",
            init_args={"backbone": "minilm", "store": "x"},
        ),
    ],
)
def test_fault_F29_values_of_no_use_are_refused_on_opening(change, run):
    refused(edit(run, change))


def test_fault_F30_odd_choices_in_python_are_named(run):
    model = opened(run)
    pick = fsa.Pick(0)
    for odd in (
        None,
        [fsa.Choice("u", "p", (None, (0.0, 1.0)), pick)],
        [fsa.Choice("u", "p", ((0.0, 1.0), (0.0, 1.0)), pick)],
        [fsa.Choice("u", "p", (" ", "  "), pick)],
    ):
        with pytest.raises(ValueError) as error:
            model.for_user(odd)
        assert type(error.value).__module__ == "fsa.errors"


@pytest.mark.parametrize("what", ["prompt", "response"])
def test_fault_F32_deep_candidates_are_refused(what, run, choices, tmp_path):
    row = {"prompt": '"p"', "response": "[0, 1]"} | {what: DEEP}
    path = tmp_path / "deep.jsonl"
    path.write_text(f'{{"user": "u0", "prompt": {row["prompt"]}, "response": {row["response"]}}}\n')
    score(run, choices, path).refused("deep")


def test_fault_F33_numbers_that_json_has_no_word_for_are_refused(run, choices, tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text('{"user": "u0", "prompt": "p", "response": [0, 1], "note": 1e999}\n')
    score(run, choices, path).refused("finite")


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


def test_fault_F36_a_blank_name_opens_nothing(run, choices, candidates, monkeypatch):
    monkeypatch.chdir(run)
    score("", choices, candidates).refused("blank")


def test_fault_F37_a_plain_locale_takes_every_script(run, choices, tmp_path):
    rows = [{"user": "u0", "prompt": "p", "response": [0, 1], "note": "žluťoučký"}]
    started = process(
        "tests.faults.fsa_command", "score", "--model", run, "--choices", choices,
        "--candidates", lines(tmp_path / "c.jsonl", rows),
        environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )  # fmt: skip
    _, err = started.communicate(timeout=60)
    assert started.returncode == 0, err[-500:]


def test_fault_F39_one_number_is_a_list_of_one(run):
    given = ["--run", run, "--context-sizes", "0", "--episodes", "20"]
    command("eval.context_curve", *given).went_well()


def test_fault_F40_the_version_is_known_and_errors_are_one_line(run):
    assert "0." in command("fsa", "--version").went_well().out
    ended = command("train.reward", "--sead", "1")
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1, ended.err


def test_fault_F41_options_that_look_alike_are_equal(policy, tmp_path):
    model = fsa.Policy.from_pretrained(policy)
    accent = "café"
    for options in (["\u200b", "a"], [accent, unicodedata.normalize("NFD", accent)]):
        with pytest.raises(ValueError):
            model.for_user([{"prompt": "p", "options": options, "chosen": 0}])


def test_fault_F42_no_targets_are_refused_in_words(run):
    ended = command("eval.context_curve", "--run", run, "--max-targets", "0", "--episodes", "20")
    ended.refused("max_targets")


def test_fault_F43_a_suite_of_ones_own_leaves_the_published_page_alone():
    shown = command("eval.suite", "--help").out
    assert "--docs" in shown
    assert "docs/results.md" not in shown


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
