"""Faults at the edges: configurations, checkpoints, caches, files, and what people hand in."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import fsa
from tests.faults.commands import adapter, command, lines, score, train
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
    assert (out / "fsa.json").exists(), "nothing says whose it is"
    of_all = (out / "fsa.json").read_text()
    ann.write_text("".join(ann.read_text().splitlines(keepends=True)[:1]))
    assert "1 adapters written" in adapter(policy, ann, out).went_well().err
    assert (out / "fsa.json").read_text() != of_all


@pytest.mark.parametrize("cache", ["/dev/null", "file"])
def test_fault_F6_a_cache_that_cannot_be_written_costs_no_result(cache, policy, texts, tmp_path):
    (tmp_path / "file").write_text("")
    rows = [{"user": "u0", "prompt": "What now?", "response": name} for name in ("tea", "rain")]
    candidates = lines(tmp_path / "candidates.jsonl", rows)
    place = cache if cache.startswith("/") else str(tmp_path / cache)
    given = ["generate", "--model", policy, "--choices", texts, "--prompts", candidates]
    ended = command("fsa", *given, "--max_new_tokens", "2", FSA_CACHE=place).went_well()
    assert len(ended.out.splitlines()) == 2


@pytest.mark.parametrize("field", ["response", "note", "user"])
def test_fault_F17_half_a_surrogate_pair_is_named(field, run, choices, tmp_path):
    row = {"user": "u0", "prompt": "p", "response": [0, 1]} | {field: "b\ud800"}
    score(run, choices, lines(tmp_path / "c.jsonl", [row])).refused("c.jsonl:1")


def test_fault_F17_in_python_too(policy):
    person = fsa.Policy.from_pretrained(policy).for_user([])
    with pytest.raises(ValueError, match="surrogate"):
        person.score("x", ["a\ud800"])


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


def test_fault_F41_options_that_look_alike_are_equal(policy, tmp_path):
    model = fsa.Policy.from_pretrained(policy)
    accent = "café"
    for options in (["\u200b", "a"], [accent, unicodedata.normalize("NFD", accent)]):
        with pytest.raises(ValueError):
            model.for_user([{"prompt": "p", "options": options, "chosen": 0}])
