from dataclasses import fields

from jsonargparse import ArgumentParser

import fsa.serve.server
from fsa.cli.serve import serve
from fsa.serve.settings import Settings


def test_the_command_line_becomes_the_servers_settings(monkeypatch):
    given: list[Settings] = []
    monkeypatch.setattr(fsa.serve.server, "run", given.append)
    serve("runs/x", port=9, max_wait_ms=2.5, policy="runs/p")
    assert given == [Settings("runs/x", port=9, max_wait_ms=2.5, policy="runs/p")]


def test_every_option_is_a_setting_with_the_same_default():
    defaults = {each.name: each.default for each in fields(Settings)}
    parser = ArgumentParser()
    parser.add_function_arguments(serve)
    options = parser.parse_args(["--model=runs/x"]).as_dict()
    assert options == {**defaults, "model": "runs/x"}
