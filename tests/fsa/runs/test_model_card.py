"""A card says what the run says, and nothing of the machine."""

import json
import re
from pathlib import Path

import pytest
import yaml

from fsa import RewardModel
from fsa.reports.report import Report
from fsa.reports.row import Row
from fsa.runs.licences import UNKNOWN, hub_id, is_local, licence
from fsa.runs.model_card import MARK, model_card
from tests.factories.reward_models import part, small_model

COUNTS = {"source": {"ties_dropped": 1234}, "splits": {"train": 80, "validation": 10, "test": 10}}
META = {
    "date": "2030-01-02T03:04:05+00:00",
    "commit": "abcdef",
    "versions": {"python": "3.11.7", "fsa": "9.9.9"},
    "command": "train/reward.py --source.path /secret/place/people.jsonl",
    "seed": 3,
    "best_step": 400,
    "parameters": 1170,
    "counts": COUNTS,
}


def row(group, value, metric="accuracy"):
    return Row("people", "ours", group, {}, 10, metric, value, value - 0.02, value + 0.02, 500, 3)


def reading(source, path):
    return {"class_path": f"fsa.choices.{source}", "init_args": {"path": str(path), "ties": "keep"}}


@pytest.fixture
def run(tmp_path):
    """A run folder with everything that a card is filled from."""
    folder = tmp_path / "run"
    small_model().save_pretrained(folder)
    source = reading("jsonl.Jsonl", tmp_path / "secret" / "people.jsonl")
    splits = part("choices.splits.Splitter", by="user")
    (folder / "config.yaml").write_text(yaml.safe_dump({"source": source, "splits": splits}))
    (folder / "meta.json").write_text(json.dumps(META))
    Report([row("all", 0.75), row("worst", 0.61), row("g7", 0.61)]).save(folder / "eval")
    return folder


def card_of(folder):
    text = (folder / "README.md").read_text()
    return re.sub(r"(?<=\S) +(?=\S| \|)", " ", text)  # without the spaces that line columns up


def test_a_card_is_filled_from_the_run(run, tmp_path):
    RewardModel.from_pretrained(run).save_pretrained(tmp_path / "saved")
    card = card_of(tmp_path / "saved")
    assert "- Source: `Jsonl`: path people.jsonl, ties keep" in card
    assert "- Split: by user" in card
    assert "- Choices in each split: train 80, validation 10, test 10" in card
    assert "- Counted while reading: ties_dropped 1,234" in card
    assert "| ours | all | 75.0 [73.0, 77.0] |" in card
    assert "| ours | worst | 61.0 [59.0, 63.0] |" in card
    assert "g7" not in card
    assert "- Trained parameters: 1,170" in card
    assert "- Encoder: `DeepSet`" in card
    assert "- Versions: python 3.11.7, fsa 9.9.9" in card
    for heading in (
        "How to load it",
        "Data",
        "Results",
        "Model",
        "Intended use",
        "Limits",
        "How it was made",
    ):
        assert f"## {heading}\n" in card


def test_no_folder_of_this_machine_is_in_it(run, tmp_path):
    card = model_card({"features": part("features.hidden_state.HiddenState", backbone=str(tmp_path))}, run)
    assert str(tmp_path.parent) not in card
    assert "secret" not in card
    assert f"a local folder, {tmp_path.name}" in card
    assert "it opens only where there is one of that name" in card


def test_the_head_is_yaml_that_the_hub_reads(run):
    (run / "config.yaml").write_text(yaml.safe_dump({"source": reading("rows.Rows", "some/data")}))
    card = model_card({"features": part("features.hidden_state.HiddenState", backbone="minilm")}, run)
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert head["datasets"] == ["some/data"]
    assert head["library_name"] == "fsa"
    assert (head["pipeline_tag"], head["license"]) == ("text-ranking", "apache-2.0")
    [index] = head["model-index"]
    names = [metric["name"] for metric in index["results"][0]["metrics"]]
    assert names == ["accuracy@10 [0.730, 0.770]", "accuracy@10, worst group [0.590, 0.630]"]


def test_a_model_without_a_run_says_that_it_is_not_known(tmp_path):
    small_model().save_pretrained(tmp_path / "saved")
    card = card_of(tmp_path / "saved")
    assert card.count("Not known: this model was saved without its run.") == 2
    assert "Not evaluated." in card


def test_a_card_goes_along_when_a_saved_model_is_saved_again(run, tmp_path):
    RewardModel.from_pretrained(run).save_pretrained(tmp_path / "one")
    RewardModel.from_pretrained(tmp_path / "one").save_pretrained(tmp_path / "two")
    assert card_of(tmp_path / "two") == card_of(tmp_path / "one")
    assert "| ours | all | 75.0" in card_of(tmp_path / "two")


def test_a_later_report_comes_into_the_next_card(run):
    Report([row("all", 0.85)]).save(run / "eval")
    RewardModel.from_pretrained(run).save_pretrained(run)
    assert "| ours | all | 85.0 [83.0, 87.0] |" in card_of(run)
    assert "75.0" not in card_of(run)


def test_a_readme_of_somebodys_own_is_left_alone(run):
    own = card_of(run).replace(MARK, "") + "My words."
    (run / "README.md").write_text(own)
    RewardModel.from_pretrained(run).save_pretrained(run)
    assert card_of(run) == own


def test_foreign_parts_are_named_as_such():
    card = model_card({"encoder": {"class_path": "elsewhere.Encoder"}}, Path("nowhere"))
    assert 'from_pretrained("FOLDER OR HUB ID", trust_remote_code=True)' in card
    assert "trust_remote_code" not in model_card(small_model().config, Path("nowhere"))


@pytest.mark.parametrize(
    ("readme", "expected"),
    [
        ("---\nlicense: mit\n---\n# Model", "mit"),
        ("---\nlicense: other\nlicense_name: my-licence\n---\n", "my-licence"),
        ("---\nlicense: other\n---\n", UNKNOWN),
        ("---\nlicense: [mit]\n---\n", UNKNOWN),
        ("---\n: {\n---\n", UNKNOWN),
        ("# No head", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_the_licence_of_a_folder_is_what_its_readme_says(tmp_path, readme, expected):
    if readme is not None:
        (tmp_path / "README.md").write_text(readme)
    assert licence(str(tmp_path)) == expected


def test_named_backbones_hub_ids_and_folders_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("fsa.runs.licences.try_to_load_from_cache", lambda backbone, name: None)
    assert (hub_id("minilm"), licence("minilm")) == ("sentence-transformers/all-MiniLM-L6-v2", "apache-2.0")
    assert (hub_id("some/model"), licence("some/model")) == ("some/model", UNKNOWN)
    assert (hub_id(str(tmp_path)), is_local(str(tmp_path))) == (None, True)
    assert is_local("./model")
    (tmp_path / "README.md").write_text("---\nlicense: gemma\n---\n")
    monkeypatch.setattr(
        "fsa.runs.licences.try_to_load_from_cache", lambda backbone, name: str(tmp_path / name)
    )
    assert licence("some/model") == "gemma"
