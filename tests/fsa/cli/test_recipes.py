"""Recipes from the command line: what is said twice, what is wrong, and what comes back from a file."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsa.choices.source import Source
from fsa.choices.synthetic import Synthetic
from fsa.cli.recipes import configs_first, plain_arguments, run_recipe
from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import ContextEncoder
from fsa.errors import ConfigError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.likelihood import ChoiceLikelihood
from fsa.runs.folder import write_yaml

DONE: list[dict[str, Any]] = []


def recipe(
    config: dict[str, Any],
    source: Source = Synthetic(num_users=2),  # noqa: B008
    encoder: Callable[[int, int], ContextEncoder] = DeepSet,
    likelihood: ChoiceLikelihood = BradleyTerryLuce(),  # noqa: B008
    sizes: list[int] = [0, 1],  # noqa: B006
    run: list[str] | None = None,
    rate: float = 0.1,
    seed: int = 0,
    out: str = "runs/here",
    resume: bool = False,
) -> dict[str, Any]:
    """Do nothing, and say with what.

    Args:
        config: All of it.
        source: Choices.
        encoder: A factory.
        likelihood: An instance.
        sizes: A list.
        run: Given one at a time.
        rate: A number.
        seed: A number.
        out: A folder.
        resume: A switch.
    """
    DONE.append(config)
    return dict(locals())


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


def ran(*arguments: str) -> dict[str, Any]:
    result: dict[str, Any] = run_recipe(recipe, list(arguments), repeatable=["run"])
    return result


def yaml(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_without_arguments_the_signature_speaks():
    given = ran()
    assert (given["sizes"], given["seed"], given["out"]) == ([0, 1], 0, "runs/here")
    assert isinstance(given["encoder"](2, 3), DeepSet)
    assert given["config"]["encoder"]["class_path"] == "fsa.encoders.deep_set.DeepSet"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--sead", "1"], "sead"),
        (["--seed", "one"], "seed"),
        (["--sizes", "a,b"], "sizes"),
        (["--encoder.init_args.hiden", "[4]"], "hiden"),
        (["--encoder.init_args.rate", "fast"], "rate"),
        (["--encoder", "fsa.encoders.nowhere.Deep"], "encoder"),
        (["--encoder", "fsa.models.bilinear.Bilinear"], "encoder"),
        (["--source.num_usres", "3"], "num_usres"),
        (["--source.num_users", "many"], "num_users"),
    ],
)
def test_an_unknown_or_mistyped_key_stops_before_any_work_by_name(arguments, named, capsys):
    with pytest.raises(SystemExit) as stopped:
        ran(*arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err
    assert not DONE


@pytest.mark.parametrize(
    "text", ["sead: 1", "encoder: {class_path: fsa.encoders.deep_set.DeepSet, init_args: {x: 1}}"]
)
def test_an_unknown_key_in_a_file_stops_by_name(text, tmp_path, capsys):
    with pytest.raises(SystemExit):
        ran("--config", yaml(tmp_path / "a.yaml", text))
    assert ("sead" if "sead" in text else "'x'") in capsys.readouterr().err
    assert not DONE


def test_a_file_that_is_not_there_stops_by_name():
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        ran("--config", "nowhere.yaml")


def test_a_part_that_refuses_its_arguments_stops_before_any_work():
    with pytest.raises(ConfigError, match="num_users and choices_per_user must be"):
        ran("--source.num_users", "0")
    assert not DONE


def test_later_files_go_over_earlier_ones_and_keys_over_all_wherever_they_stand(tmp_path):
    first = yaml(tmp_path / "a.yaml", "seed: 1\nrate: 0.5\nsizes: [7]")
    second = yaml(tmp_path / "b.yaml", "seed: 2\nrate: 0.6")
    assert ran("--config", first, "--config", second)["seed"] == 2
    assert ran("--config", second, "--config", first)["seed"] == 1
    given = ran("--rate", "0.7", "--config", first, f"--config={second}")
    assert (given["seed"], given["rate"], given["sizes"]) == (2, 0.7, [7])


def test_an_overlay_changes_an_argument_and_keeps_the_part_or_changes_the_part(tmp_path):
    base = yaml(
        tmp_path / "a.yaml",
        "encoder:\n  class_path: fsa.encoders.deep_set.DeepSet\n  init_args: {hidden: [5], rate: 0.5}",
    )
    narrow = yaml(tmp_path / "b.yaml", "encoder:\n  init_args: {rate: 0.25}")
    encoder = ran("--config", base, "--config", narrow)["config"]["encoder"]
    assert (encoder["init_args"]["hidden"], encoder["init_args"]["rate"]) == ([5], 0.25)
    pooled = yaml(tmp_path / "c.yaml", "encoder: fsa.encoders.no_context.NoContext")
    encoder = ran("--config", base, "--config", pooled)["config"]["encoder"]
    assert encoder["class_path"] == "fsa.encoders.no_context.NoContext"


@pytest.mark.parametrize("written", ["0,1,3", "0, 1, 3", "[0,1,3]"])
@pytest.mark.parametrize("joined", [True, False])
def test_lists_need_no_brackets(written, joined):
    assert ran(*([f"--sizes={written}"] if joined else ["--sizes", written]))["sizes"] == [0, 1, 3]


def test_options_may_have_dashes_and_a_repeated_one_makes_a_list():
    assert ran("--source.num-users", "4")["source"].num_users == 4
    assert ran("--run", "a-b", "--run=c,d")["run"] == ["a-b", "c,d"]


def test_bad_records_are_skipped_without_the_name_of_the_source(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("{}")
    source = ran("--source", "fsa.choices.jsonl.Jsonl", "--source.path", str(file), "--on-bad-record", "skip")
    assert source["source"].skip_bad


def test_a_configuration_that_was_written_is_read_back_as_it_was(tmp_path):
    config = ran(
        "--source.seed", "3", "--encoder.hidden", "[4,5]", "--rate", "1e-5", "--sizes", "0,2", "--run", "a",
        "--likelihood", "fsa.likelihoods.label_noise.LabelNoise",
        "--likelihood.base", "fsa.likelihoods.btl.BradleyTerryLuce",
    )["config"]  # fmt: skip
    assert config["likelihood"]["init_args"]["base"]["class_path"] == "fsa.likelihoods.btl.BradleyTerryLuce"
    write_yaml(tmp_path / "config.yaml", config)
    assert ran("--config", str(tmp_path / "config.yaml"))["config"] == config


def test_a_configuration_covers_the_whole_signature():
    assert ran()["config"].keys() == inspect.signature(recipe).parameters.keys() - {"config"}


def test_resuming_a_run_reads_its_own_configuration(tmp_path):
    write_yaml(tmp_path / "config.yaml", ran("--seed", "5", "--rate", "0.9")["config"])
    for spelled in (["--resume", str(tmp_path)], [f"--resume={tmp_path}"]):
        given = ran(*spelled, "--rate", "0.8")
        assert (given["resume"], given["out"], given["seed"], given["rate"]) == (True, str(tmp_path), 5, 0.8)
    assert ran("--resume", "true")["out"] == "runs/here"


@pytest.mark.parametrize("arguments", [["--resume", "nowhere"], ["--resume"], ["--resume="]])
def test_resuming_what_is_not_there_is_an_error(arguments):
    with pytest.raises(ConfigError, match="no run folder there"):
        ran(*arguments)
    assert not DONE


def test_a_command_says_what_is_wrong_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["recipe", "--resume", "nowhere"])
    with pytest.raises(SystemExit) as stopped:
        run_recipe(recipe)
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith("error: --resume nowhere: no run folder there")


def test_files_come_before_keys_in_their_order():
    assert configs_first(["--a", "1", "--config", "x", "--b=2", "--config=y"]) == [
        "--config=x", "--config=y", "--a", "1", "--b=2",
    ]  # fmt: skip


def test_values_are_left_as_they_are():
    assert plain_arguments(["--out", "a-b,c", "--x-y=c-d", "-1", "--n", "-1,2.5"]) == [
        "--out", "a-b,c", "--x_y=c-d", "-1", "--n", "[-1,2.5]",
    ]  # fmt: skip
