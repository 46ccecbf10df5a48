"""`run_recipe`: the command line of a recipe, from its signature."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_origin

from jsonargparse import ArgumentParser, auto_cli

from fsa.cli.ending import ending_well, one_line
from fsa.cli.gate import TRUST, check_command_line, import_families
from fsa.errors import ConfigError
from fsa.recipes.configured import keywords_for, options, preset, recipe_parser
from fsa.runs.folder import CONFIG_YAML

# Options that may be written without the name of the part they belong to.
_SHORT = {"--on_bad_record": "--source.on_bad_record"}
_HELP = frozenset({"-h", "--help"})


def run_recipe(
    recipe: Callable[..., Any],
    arguments: Sequence[str] | None = None,
    repeatable: Sequence[str] = (),
    command: str | None = None,
) -> Any:
    """Run a recipe from the command line: its signature is the schema, its docstring the help.

    `--config` may be given several times, later files over earlier ones, and any `--key value` over them
    all. Options may be written with dashes, lists without brackets, and `--resume RUN` reads RUN's own
    configuration first. A recipe that takes `config` gets the whole configuration in plain form.

    Args:
        recipe: A function whose parameters all have types.
        arguments: The command line; None takes that of the process.
        repeatable: List parameters that are given one `--name VALUE` at a time.
        command: What was typed to get here, for the help; None takes the name of the program.

    Returns:
        What the recipe returns.
    """
    if arguments is None:
        return ending_well(lambda: run_recipe(recipe, sys.argv[1:], repeatable))
    parser, names = recipe_parser(recipe, CommandLine), inspect.signature(recipe).parameters
    parser.prog = command or parser.prog
    given = plain_arguments(arguments)
    if "source" in names:
        parts = (argument.partition("=") for argument in given)
        given = [_SHORT.get(name, name) + equals + value for name, equals, value in parts]
    hints = {action.dest: getattr(action, "_typehint", None) for action in parser._actions}
    given = check_command_line(configs_first(given), hints, takes_trust=TRUST in names)
    if _HELP.intersection(given):
        import_families(hints)
    given = [_listed(*pair, hints) for pair in zip(["", *given], given, strict=False)]
    parsed = parser.parse_args([_repeated(argument, repeatable) for argument in given])
    return recipe(**keywords_for(recipe, parser, parsed))


class CommandLine(ArgumentParser):
    """A parser that says in one line what is wrong with a command line, and where help is."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        print(one_line(f"error: {message} (see --help)"), file=sys.stderr)
        sys.exit(2)


def run_commands(commands: dict[str, Any], arguments: Sequence[str]) -> None:
    """Run one of several commands, each a function whose signature is its command line."""
    given = plain_arguments(arguments)
    auto_cli(commands, as_positional=False, args=given, parser_class=CommandLine)


def plain_arguments(arguments: Sequence[str]) -> list[str]:
    """Arguments as jsonargparse wants them: `_` in names, lists in brackets, `--resume RUN` spelled out."""
    plain: list[str] = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name.startswith("--"):
            plain.append("--" + name[2:].replace("-", "_") + equals + (_bracketed(value) if equals else ""))
        else:
            plain.append(_bracketed(argument))
    return _resumed(plain) if any(each.startswith("--resume") for each in plain) else plain


def configs_first(arguments: Sequence[str]) -> list[str]:
    """Arguments with every `--config FILE` before all others, in their order: a key overrides any file.

    A file is a path, or the name of one that comes with fsa, such as reward/choices.
    """
    configs: list[str] = []
    others: list[str] = []
    for name, value, given in options(arguments):
        if name == "config":
            configs.append(f"--config={preset(value)}")
        else:
            others += given
    return configs + others


def _resumed(arguments: list[str]) -> list[str]:
    pairs = options(arguments)
    run = next((value for name, value, _ in pairs if name == "resume"), "true")
    if run.lower() in ("true", "false"):
        return arguments
    if not (Path(run) / CONFIG_YAML).is_file():
        raise ConfigError(f"--resume {run}: no run folder there (a folder with {CONFIG_YAML})")
    if any(name == "out" for name, _, _ in pairs):
        raise ConfigError("--resume goes on in its own folder; leave out --out")
    own = ["--config", str(Path(run) / CONFIG_YAML), "--out", run, "--resume", "true"]
    return [*own, *(argument for name, _, given in pairs if name != "resume" for argument in given)]


def _repeated(argument: str, repeatable: Sequence[str]) -> str:
    name, equals, value = argument.partition("=")
    return (
        f"{name}+{equals}{value}"
        if name.removeprefix("--") in repeatable and name.startswith("--")
        else argument
    )


def _bracketed(value: str) -> str:
    is_list = "," in value and all(
        part.strip().lstrip("-").replace(".", "", 1).isdigit() for part in value.split(",")
    )
    return f"[{value}]" if is_list else value


def _listed(before: str, argument: str, hints: Mapping[str, Any]) -> str:
    """An argument in brackets, where a list is wanted and one number came."""
    name, equals, value = argument.partition("=") if argument.startswith("--") else (before, "", argument)
    wants_list = get_origin(hints.get(name.removeprefix("--"))) in (list, tuple, Sequence)
    if name.startswith("--") and wants_list and value.lstrip("-").replace(".", "", 1).isdigit():
        return f"{name}=[{value}]" if equals else f"[{value}]"
    return argument
