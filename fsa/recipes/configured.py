"""`configured`: what a recipe is called with, out of configuration files and a command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile, ArgumentError, ArgumentParser, Namespace  # type: ignore[attr-defined]

from fsa.errors import ConfigError


def configured(recipe: Callable[..., Any], arguments: Sequence[str]) -> dict[str, Any]:
    """Keywords for a recipe: its signature is the schema, its docstring the help.

    Args:
        recipe: A function whose parameters all have types. One that takes `config` gets the whole
            configuration in plain form.
        arguments: `--config FILE`, later files over earlier ones, and `--key value`.
    """
    parser = recipe_parser(recipe)
    return keywords_for(recipe, parser, parser.parse_args(list(arguments)))


def recipe_parser(
    recipe: Callable[..., Any], kind: type[ArgumentParser] = ArgumentParser, **settings: Any
) -> ArgumentParser:
    """A parser of a recipe's command line; `settings` are those of parsers."""
    parser = kind(description=(recipe.__doc__ or "").strip().split("\n")[0], **settings)
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file; may be given several times")
    parser.add_function_arguments(recipe, skip={"config"}, sub_configs=True)
    return parser


def keywords_for(recipe: Callable[..., Any], parser: ArgumentParser, parsed: Namespace) -> dict[str, Any]:
    """What a recipe is called with, from a parsed command line: parts are made here."""
    plain = parsed.as_dict()
    plain.pop("config", None)
    parts = parser.instantiate(parsed)
    keywords = {name: value for name, value in parts.items() if name != "config"}
    return {"config": plain, **keywords} if "config" in inspect.signature(recipe).parameters else keywords


def options(arguments: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """Name, value and arguments of each option; what belongs to none has the name ""."""
    rest, found = list(arguments), []
    while rest:
        first = rest.pop(0)
        name, equals, value = first.partition("=")
        if not name.startswith("--"):
            found.append(("", first, [first]))
        elif equals or not rest or rest[0].startswith("--"):
            found.append((name[2:], value, [first]))
        else:
            found.append((name[2:], rest[0], [first, rest.pop(0)]))
    return found


def parts_of(config: Mapping[str, Any], kinds: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Parts and values out of a configuration, which says nothing else.

    Args:
        config: Their plain forms, by name; what is left out is None.
        kinds: Type of each: the base class of a part, or that of a value.
        where: The configuration, to begin an error with.

    Raises:
        ConfigError: Something is none of its kind, or unknown.
    """
    parser = ArgumentParser(exit_on_error=False)
    for name, kind in kinds.items():
        parser.add_argument(f"--{name}", type=kind, default=None)
    try:
        parts = parser.instantiate(parser.parse_object(dict(config)))
    except (ArgumentError, TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
    return {name: parts[name] for name in kinds}


def preset(name: str) -> Path:
    """A configuration file: a path, or the name of one that comes with fsa, such as reward/choices."""
    given = Path(name)
    if given.is_file():
        return given
    ours = presets() / name.removeprefix("configs/")
    return next((path for path in (ours, ours.with_name(ours.name + ".yaml")) if path.is_file()), given)


def presets() -> Path:
    """Folder of the configurations that come with fsa: the installed package's, or the checkout's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "presets"
    return installed if installed.is_dir() else package.parent / "configs"
