"""Every command of README and docs starts: its module is there, and its help comes."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from fsa.cli.main import COMMANDS, RECIPES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page: page.read_text("utf-8") for page in PAGES}


def modules() -> list[str]:
    found = {name for text in TEXTS.values() for name in re.findall(r"-m ((?:eval|train)\.[\w.]*\w)", text)}
    assert len(found) >= 15
    return sorted(found)


@pytest.mark.parametrize("module", modules())
def test_a_documented_module_starts(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert not ended.value.code
    assert "usage:" in capsys.readouterr().out


def test_documented_commands_of_fsa_are_there():
    known = {name.split()[0] for name in [*COMMANDS, *RECIPES]}
    found = {name for text in TEXTS.values() for name in re.findall(r"(?:`|bin/)fsa ([a-z]+)(?= |`)", text)}
    assert {"score", "judge", "generate"} <= found
    assert found - known == set()


def test_files_that_commands_name_are_there():
    pattern = r"(?<![\w./])((?:configs|tests|eval|fsa|train)/[\w./-]+\.(?:yaml|py|sbatch))"
    named = {
        (page, name)
        for page, text in TEXTS.items()
        if page.name != "log.md"
        for name in re.findall(pattern, text)
    }
    assert len(named) > 40
    missing = {(page.name, name) for page, name in named if not (ROOT / name).exists()}
    assert {one for one in missing if "my_" not in one[1]} == set()
