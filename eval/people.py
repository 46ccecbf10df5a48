"""Real people: `python -m eval.people --data FOLDER --folds 5`, every person tested once."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.recipes.configured import preset
from fsa.recipes.configured import presets as presets_folder
from fsa.recipes.fit import source_of
from fsa.recipes.trials import Trials
from fsa.reports.report import Report

_FEATURES = "baseline/all_components"
_ENDINGS = ("*.jsonl.gz", "*.jsonl")


def people(
    data: str,
    folds: int = 5,
    presets: list[str] = ["reward/default"],  # noqa: B006 (never changed; jsonargparse shows it)
    rivals: list[str] = [],  # noqa: B006
    out: str = "runs/people",
    seed: int = 0,
    overwrite: bool = False,
) -> Report:
    """Compare a preset with one model for all people, on people whom neither has seen.

    Both train on the same people, with the same features, and predict the same choices; intervals are paired,
    and resample people and prompts. Writes OUT/report.json, report.md and plots.

    Args:
        data: Folder of files of choices, .jsonl or .jsonl.gz; each is a data set.
        folds: Parts that people are dealt into; each is tested once. 1 tests a fifth of the people.
        presets: Configuration files of the model, or names of those that come with fsa.
        rivals: Baselines to test beside it, by the names of their files in configs/baseline, such as vpl and
            gpo; each sees all components of the features, trains as long and is validated as often.
        out: Folder of the report and the runs.
        seed: Seed of folds and training.
        overwrite: Start anew where the folder holds runs already, which are lost.

    Raises:
        ConfigError: There is no such file, or `folds` is below 1.
        ChoiceDataError: A file cannot be read.
    """
    files = sorted(file for ending in _ENDINGS for file in Path(data).glob(ending))
    if not files or folds < 1:
        raise ConfigError(
            f"--data {data}: {len(files)} files of choices ({', '.join(_ENDINGS)}); folds {folds}"
        )
    against = {name: _rival(name) for name in rivals}
    console, reports = Console(), []
    for file in files:
        source, spec = source_of(str(file), None)
        trials = Trials(source.load(), spec, presets, [], seed, overwrite, against)
        report, verdict = trials.tested(Path(out) / trials.name, folds, console, "python -m eval.people")
        console.print(f"{trials.name}: {verdict.text}", highlight=False)
        reports.append(report)
    whole = Report([row for report in reports for row in report.rows], reports[-1].about)
    whole.save(Path(out))
    whole.print_tables(console)
    return whole


def _rival(name: str) -> list[str]:
    """Configuration files of a baseline.

    Raises:
        ConfigError: There is none of that name.
    """
    if not preset(f"baseline/{name}").is_file():
        known = sorted(path.stem for path in (presets_folder() / "baseline").glob("*.yaml"))
        raise ConfigError(f"--rivals {name}: no baseline is called so; there are {', '.join(known)}")
    of_suite = f"suite/method/{name}"  # what it has there besides
    return [_FEATURES, f"baseline/{name}", *([of_suite] if preset(of_suite).is_file() else [])]


if __name__ == "__main__":
    run_recipe(people, repeatable=["presets", "rivals"])
