"""The `fsa` command: help, version, and what is said of a command that is none."""

import sys
from importlib import import_module
from keyword import iskeyword

import pytest

import fsa
from fsa.cli.main import COMMANDS, RECIPES, main


def said(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["fsa", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    streams = capsys.readouterr()
    return int(ended.value.code or 0), streams.out + streams.err


def test_help_lists_every_command(monkeypatch, capsys):
    code, text = said(monkeypatch, capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in text and sentence[:30] in text for name, sentence in COMMANDS.items())


def test_the_version_is_said(monkeypatch, capsys):
    assert said(monkeypatch, capsys, "--version") == (0, f"fsa {fsa.__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("scores",)])
def test_what_is_no_command_is_refused_with_those_there_are(monkeypatch, capsys, arguments):
    code, text = said(monkeypatch, capsys, *arguments)
    assert code == 2
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_function_of_its_name_and_has_help(monkeypatch, capsys, name):
    own = f"{name}_" if iskeyword(name) else name
    assert callable(getattr(import_module(f"fsa.cli.{own}"), own))
    code, text = said(monkeypatch, capsys, name, "--help")
    assert code == 0
    assert f"{name}" in text


@pytest.mark.parametrize("name", RECIPES)
def test_help_of_what_trains_and_measures_begins_with_what_was_typed(monkeypatch, capsys, name):
    code, text = said(monkeypatch, capsys, *name.split(), "--help")
    assert code == 0
    assert text.startswith(f"usage: fsa {name} [")


@pytest.mark.parametrize("given", ["", "scor", "train x", "--x"])
def test_what_is_no_command_is_one_line_that_says_where_help_is(given, monkeypatch, capsys):
    code, text = said(monkeypatch, capsys, *(given.split() or [""]))
    assert code == 2
    assert len(text.splitlines()) == 1
    assert text.startswith("error: ")
    assert text.endswith("(see fsa --help)\n")
