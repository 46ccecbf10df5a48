"""The recipe end to end, with a tiny Llama, and what it is allowed to read."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from fsa.backbones import resolve
from fsa.choices.sandbox import Sandbox
from fsa.choices.splits import Splits, Splitter
from fsa.choices.synthetic import Synthetic
from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.recipes.sft import items_to_read, train_sft
from fsa.types import Choice, Pick, Tie

ROOT = Path(__file__).resolve().parents[3]
TINY = {
    "source.num_prompts": 40,
    "source.responses_per_prompt": 4,
    "source.num_users": 60,
    "source.choices_per_user": 10,
    "backbone.width": 16,
    "backbone.layers": 1,
    "backbone.heads": 2,
    "backbone.vocabulary": 500,
    "sequences.batch_tokens": 600,
    "loop.max_steps": 6,
    "loop.validate_every": 3,
    "loop.accelerator": "cpu",
    "loop.progress": False,
}


def train_tiny(out: Path, *arguments: str, **settings: Any) -> Path:
    """The sandbox's own configuration at a size that takes a second; `a__b=c` is `--a.b c`."""
    given = TINY | {name.replace("__", "."): value for name, value in settings.items()} | {"out": out}
    options = [f"--{name}={value}" for name, value in given.items()]
    run_recipe(train_sft, [f"--config={ROOT / 'configs/policy/sft_sandbox.yaml'}", *options, *arguments])
    return out


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tiny(tmp_path_factory.mktemp("sft") / "run")


def test_the_folder_is_an_ordinary_model_and_says_how_it_came_to_be(run: Path):
    assert resolve(str(run)) == run
    model, tokenizer = AutoModelForCausalLM.from_pretrained(run), AutoTokenizer.from_pretrained(run)
    assert model.config.vocab_size == len(tokenizer) == 500
    assert GenerationConfig.from_pretrained(run).eos_token_id == tokenizer.eos_token_id
    meta = json.loads((run / "meta.json").read_text())
    assert meta.keys() >= {"commit", "seconds", "versions", "seed", "validation_nll", "counts", "trained_on"}
    assert meta["steps"] == 6
    assert meta["trained_on"]["source"]["init_args"]["num_prompts"] == 40
    with (run / "metrics.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3", "6"]


def test_the_folder_holds_the_weights_of_the_best_validation(run: Path):
    best = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    stored = AutoModelForCausalLM.from_pretrained(run).state_dict()
    assert {f"next_token.model.{name}" for name in stored} == best.keys()
    assert all(torch.equal(value, best[f"next_token.model.{name}"]) for name, value in stored.items())


def test_it_goes_on_from_a_model_of_its_own(run: Path, tmp_path: Path):
    """A folder as the backbone, on chosen responses alone, gets better at them."""
    before = json.loads((run / "meta.json").read_text())["validation_nll"]
    again = tmp_path / "again"
    config = {name: value for name, value in TINY.items() if not name.startswith("backbone.")}
    options = [f"--{name}={value}" for name, value in (config | {"out": again, "backbone": run}).items()]
    path = f"--config={ROOT / 'configs/policy/sft_sandbox.yaml'}"
    run_recipe(train_sft, [path, *options, "--on=chosen", "--loop.max_steps=30", "--loop.validate_every=15"])
    meta = json.loads((again / "meta.json").read_text())
    assert meta["validation_nll"] < before
    assert meta["trained_on"]["backbone"] == str(run)
    assert (again / "tokenizer.json").read_text() == (run / "tokenizer.json").read_text()


def test_a_finished_run_resumed_writes_the_same_model(tmp_path: Path):
    out = train_tiny(tmp_path / "run")
    weights = (out / "model.safetensors").read_bytes()
    (out / "model.safetensors").unlink()  # as if killed before it was written
    run_recipe(train_sft, [f"--resume={out}"])
    assert (out / "model.safetensors").read_bytes() == weights


def test_training_reads_nothing_of_the_test_split(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Neither tokenizer nor batches: texts of test prompts and their responses may be anything."""
    trained = train_tiny(tmp_path / "one")
    load = Sandbox.load

    def with_other_test_texts(self: Sandbox) -> ChoiceTable:
        table = load(self)
        parted = Splitter(by="both", fractions=(0.6, 0.15, 0.25))(table)
        read = np.isin(table.item_prompt, np.union1d(parted.train.prompt, parted.validation.prompt))
        texts = table.texts.to_pylist()
        assert (~read).sum() > 20
        for item in np.flatnonzero(~read):  # prompts stay: their hash is what parts them
            texts[table.item_response[item]] = f"zyx {item}"
        return replace(table, texts=pa.array(texts, pa.large_string()))

    monkeypatch.setattr(Sandbox, "load", with_other_test_texts)
    other = train_tiny(tmp_path / "other")
    for name in ("model.safetensors", "tokenizer.json", "metrics.csv"):
        assert (trained / name).read_bytes() == (other / name).read_bytes()


def parted_by_hand() -> tuple[ChoiceTable, Splits]:
    """Two people on prompts p (train) and q (validation); items 0-4 are p's a, b, c and q's a, d."""
    choices = [
        Choice("one", "p", ("a", "b"), Pick(0), split="train"),
        Choice("two", "p", ("c", "a"), Pick(1), split="train"),
        Choice("one", "q", ("a", "d"), Pick(1), split="validation"),
        Choice("two", "p", ("b", "c"), Pick(0), split="test"),
    ]
    table = ChoiceTable.from_choices(choices)
    return table, Splitter(by="record")(table)


def responses(table: ChoiceTable, items: np.ndarray) -> list[tuple]:
    return [(table.text(int(table.item_prompt[item])), table.response(int(item))) for item in items]


def test_chosen_reads_what_came_first_in_training_once():
    table, parted = parted_by_hand()
    train, validation = items_to_read(parted, "chosen")
    assert responses(table, train) == [("p", "a")]  # chosen by both; b only in a test choice
    assert responses(table, validation) == [("q", "d")]


def test_all_reads_every_response_to_a_training_prompt():
    table, parted = parted_by_hand()
    train, validation = items_to_read(parted, "all")
    assert sorted(responses(table, train)) == [("p", "a"), ("p", "b"), ("p", "c")]
    assert sorted(responses(table, validation)) == [("q", "a"), ("q", "d")]


def test_both_of_a_tie_were_chosen():
    choices = [
        Choice("one", "p", ("a", "b", "c"), Tie((0, 2)), split="train"),
        Choice("one", "q", ("a", "d"), Pick(1), split="validation"),
        Choice("one", "r", ("a", "d"), Pick(1), split="test"),
    ]
    table = ChoiceTable.from_choices(choices)
    train, _ = items_to_read(Splitter(by="record")(table), "chosen")
    assert responses(table, train) == [("p", "a"), ("p", "c")]


def test_a_split_that_shares_all_prompts_leaves_nothing_to_validate_with():
    table = Sandbox(num_prompts=10, num_users=40, choices_per_user=10).load()
    with pytest.raises(ConfigError, match="split by prompt"):
        items_to_read(Splitter(by="user")(table), "all")


def test_numbers_are_no_text():
    table = Synthetic(num_users=30).load()
    with pytest.raises(ConfigError, match="options are numbers"):
        items_to_read(Splitter(by="user")(table), "all")


def test_long_texts_are_cut_and_said(tmp_path: Path):
    with pytest.warns(UserWarning, match="have more than 40 tokens"):
        train_tiny(tmp_path / "run", sequences__max_tokens=40, loop__max_steps=1, loop__validate_every=1)
