"""The examples of docs/data.md are read as they stand there."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonargparse import ArgumentParser

from fsa.choices.reading.record import parse_record
from fsa.choices.source import Source
from fsa.choices.splits import Splitter
from fsa.types import Pick, Ranking, Tie

PAGE = (Path(__file__).parents[1] / "docs" / "data.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


SOURCES = [block for block in blocks("yaml") if block.startswith("source:")]


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.split()[2].split(".")[-1])
def test_every_yaml_example_is_what_a_recipe_takes(block):
    parser = ArgumentParser()
    parser.add_argument("--source", type=Source)
    parser.add_argument("--splits", type=Splitter)
    parts = parser.instantiate_classes(parser.parse_string(block))
    assert isinstance(parts.source, Source) == block.startswith("source:")
    splits = yaml.safe_load(block).get("splits", {"init_args": {}})
    assert parts.splits.by == splits["init_args"].get("by", "prompt")


def test_every_source_has_an_example():
    shown = {yaml.safe_load(block)["source"]["class_path"].split(".")[2] for block in SOURCES}
    modules = (Path(__file__).parents[1] / "fsa" / "choices").glob("*.py")
    found = {
        path.stem
        for path in modules
        if re.search(r"\nclass \w+\(((Record|File)?Source|HelpSteer2|MappedRows|Export)\)", path.read_text())
    }
    assert shown == found
    assert len(shown) == 15


def test_every_record_is_read():
    lines = blocks("json")[0].splitlines()
    outcomes = [parse_record(json.loads(line), "docs/data.md").outcome for line in lines]
    assert outcomes == [Pick(0), Tie((0, 1)), Ranking((2, 0)), Pick(1), Pick(1), Pick(0), Pick(0)]
