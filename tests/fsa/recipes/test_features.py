import json
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml

from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError, FsaError, OutputError
from fsa.features.extractor import FeatureExtractor
from fsa.recipes.features import fill_features, item_features, of_training_config
from fsa.types import Choice, Pick

CHOICES = [
    {"user": f"u{i % 3}", "prompt": f"p{i}", "options": [f"yes {i}", f"no {i}"], "chosen": 0}
    for i in range(9)
]


class Notes(FeatureExtractor):
    """Writes down what it was asked for."""

    fingerprint, width = "notes", 1

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.at_once = threading.Semaphore(1)

    def extract(self, prompts, responses, progress=False):
        assert self.at_once.acquire(blocking=False), "two computed at once"
        self.seen += responses
        self.at_once.release()
        return np.zeros((len(responses), 1), np.float32)


class FromMemory:
    """A source of choices that are at hand."""

    def load(self) -> ChoiceTable:
        return ChoiceTable.from_choices(
            [Choice(c["user"], c["prompt"], tuple(c["options"]), Pick(0)) for c in CHOICES]
        )


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def test_processes_share_the_items_out(monkeypatch: pytest.MonkeyPatch):
    parts = []
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "4")
        notes = Notes()
        assert fill_features(FromMemory(), notes) == len(notes.seen)
        parts.append(notes.seen)
    everything = [response for part in parts for response in part]
    assert sorted(everything) == sorted(option for choice in CHOICES for option in choice["options"])
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_items_that_the_store_could_not_take_are_no_success():
    notes = Notes()
    notes.num_unkept = 3
    with pytest.raises(OutputError, match="3 of 18 items are not in the store"):
        fill_features(FromMemory(), notes)


def test_one_process_at_a_time_computes(monkeypatch: pytest.MonkeyPatch):
    notes, table = Notes(), FromMemory().load()
    threads = [threading.Thread(target=item_features, args=(table, notes)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes.seen) == 4 * 18


def test_it_takes_the_configuration_of_a_training(tmp_path: Path):
    (tmp_path / "choices.jsonl").write_text("".join(json.dumps(choice) + "\n" for choice in CHOICES[:4]))
    source = {"class_path": "fsa.choices.jsonl.Jsonl", "init_args": {"path": "elsewhere.jsonl"}}
    numeric = {"class_path": "fsa.features.numeric.Numeric"}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"source": source, "features": numeric, "d_belief": 8, "loop": {}}))
    arguments = ["--config", str(config), "--source.path", str(tmp_path / "choices.jsonl")]
    # Numeric reads no text: that it says so shows that it was asked, and for this file.
    with pytest.raises(FsaError, match="numbers"):
        run_recipe(fill_features, of_training_config(arguments))


def test_overlays_come_in_their_order_and_other_keys_stay_out(tmp_path: Path):
    for name, content in (
        ("a", {"source": {"class_path": "A"}, "seed": 1}),
        ("b", {"features": {"class_path": "B"}}),
    ):
        (tmp_path / name).write_text(yaml.safe_dump(content))
    arguments = of_training_config(
        ["--config", str(tmp_path / "a"), f"--config={tmp_path / 'b'}", "--x", "1"]
    )
    assert arguments == ['--source={"class_path": "A"}', '--features={"class_path": "B"}', "--x", "1"]


def test_a_missing_configuration_is_named(tmp_path: Path):
    with pytest.raises(FsaError, match="nowhere"):
        of_training_config(["--config", str(tmp_path / "nowhere.yaml")])
    with pytest.raises(ConfigError, match="--config"):
        of_training_config(["--config"])
