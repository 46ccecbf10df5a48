"""A benchmark of made-up labels."""

import json
from pathlib import Path

import pytest

from tests.factories.labelled import made_up


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, count, seed in (("train", 60, 0), ("eval", 20, 1)):
        entries = [
            {
                "prompt": f"{name} {each.probe.prompt}",
                "responses": each.probe.responses,
                "labels": [
                    dict(zip(each.labels.attributes, row, strict=True)) for row in each.labels.mean.tolist()
                ],
            }
            for each in made_up(count, seed=seed)
        ]
        (folder / f"steerable_{name}.json").write_text(json.dumps(entries))
    return folder
