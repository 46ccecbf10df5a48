"""Generated text, judged: `python -m eval.generations --run 'NP-DPO=runs/policy-*' --pooled runs/pooled`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from eval.generations import continuum as between_types
from eval.generations import rivals as without_steering
from eval.generations import tradeoff
from eval.generations import unseen as unseen_types
from eval.generations.answers import Writing
from eval.generations.people import choose, only_one_source
from eval.generations.questions import questions
from eval.generations.raters import judge_of
from eval.generations.steering import MOVEMENT, OWN, REVERSED
from eval.generations.study import StudyPlan, all_rows
from fsa.choices.sandbox import Sandbox
from fsa.choices.splits import NAMES
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.files import write_whole
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.in_run_folder import alone_in_out
from fsa.recipes.measuring.runs import Method, named, source_and_splits
from fsa.reports.frame import texts, wide
from fsa.reports.report import Report
from fsa.reports.tables import console
from fsa.runs.folder import CONFIG_YAML, about_this_run, read_yaml


@alone_in_out
def generations(
    run: list[str],
    pooled: str | None = None,
    judge: list[str] = [],  # noqa: B006 (never changed; jsonargparse shows it)
    context_sizes: list[int] = [0, 1, 3, 8],  # noqa: B006
    people: int = 12,
    prompts: int = 10,
    unseen: list[str] = [],  # noqa: B006
    continuum: bool = True,
    rivals: bool = False,
    rewards: str | None = None,
    dedicated: list[str] = [],  # noqa: B006
    known_questions: int = 0,
    distance_answers: int = 240,
    stopping_answers: int = 0,
    strength: float = 1.0,
    split: str = "test",
    out: str = "runs/generations",
    seed: int = 1,
    trust_remote_code: bool = False,
    **writing: Any,
) -> Report:
    """Let policies answer held-out prompts for held-out people, and judge whether it is what they want.

    All people are asked the same prompts, and no choice that is seen is about one of them. On the
    sandbox the judge counts its own attributes in the text; elsewhere dedicated reward models judge. Writes
    report.json, report.md, plots and side_by_side.md; answers are kept as they come, and a run that was cut
    off, or is asked for more, goes on from them.

    Args:
        run: Run folder of a policy; a quoted glob is one method whose folders are its seeds; `NAME=FOLDER`
            names the method. May be given several times.
        pooled: The policy without choices, to compare with; its seeds as those of `run`.
        judge: Reward models dedicated to one group each (`only_group` in their config.yaml), or a quoted glob
            of them, to judge in place of the sandbox. May be given several times.
        context_sizes: Choices seen, for example 0,1,3,8.
        people: Most people of each group.
        prompts: Prompts that all people are asked.
        unseen: A type of sandbox user that was never trained on, such as long+cheerful. May be given several
            times.
        continuum: Ask also for people between two opposite ones; sandbox only.
        rivals: Let the reference answer too, with a person's choices and with their stated preference in the
            prompt.
        rewards: Run folder of a reward model, for one rival more: the best of four answers of
            the reference.
        dedicated: Run folders, or quoted globs of them, of policies of one group each (`only_group`): how far
            a group can be moved, and what share of that the first of `run` has. May be given several times.
        known_questions: Questions with known answers, up to 500, each for one person of every group, to tell
            what steering costs; with them how likely the policy finds the reference's own answers. 0: none.
        distance_answers: Answers to draw at each context size for the distance from the reference; 0: none.
        stopping_answers: Answers to draw after the most choices, and of the reference, for the shares that
            stop; 0 takes those of the distance, which are dearer.
        strength: How far policies go from their reference, as a multiple of what was trained.
        split: Which split to ask: `validation` while choosing, `test` once.
        out: Folder of the report.
        seed: Seed of people, prompts, and drawing.
        trust_remote_code: Run parts of the runs that are not fsa's own.
        writing: See `Writing`.

    Raises:
        ConfigError: There is no such run, split or group, or runs are about different choices.
        CheckpointError: A run cannot be read, or is no policy.
    """
    if split not in NAMES:
        raise ConfigError(f"split must be one of {', '.join(NAMES)}, came {split!r}")
    if not context_sizes or min(context_sizes) < 0 or people < 1:
        raise ConfigError(
            f"context_sizes are numbers >= 0, people 1 or more; came {context_sizes} and {people}"
        )
    how = Writing(seed=seed, **writing)
    if rewards and not how.do_sample:
        raise ConfigError("--rewards picks among drawn answers: give --do-sample true")
    methods, rival = named(run), named([pooled])[0] if pooled else None
    folders = [
        folder
        for method in [*methods, *([rival] if rival else []), *map(Method.of, dedicated)]
        for folder in method.runs
    ]
    configs = [read_yaml(folder / CONFIG_YAML) for folder in folders]
    only_one_source(configs, [str(folder) for folder in folders])
    source, splits = source_and_splits(configs[0], trust_remote_code)
    sizes, console = sorted(set(context_sizes)), Console(stderr=True)
    table = getattr(splits(source.load()), split)
    field = choose(table, people, prompts, sizes[-1], 20, seed)
    new = unseen_types.panels(unseen, source, configs[0], splits, split, (people, prompts, sizes[-1], seed))
    model = RewardModel.from_pretrained(rewards, trust_remote_code=trust_remote_code) if rewards else None
    others = without_steering.rivals_of(field, model) if rivals or rewards else []
    plan = StudyPlan(
        field,
        judge_of(judge, source, trust_remote_code),
        sizes,
        how,
        distance_answers,
        continuum and isinstance(source, Sandbox) and not judge,
        new,
        others,
        questions(known_questions) if known_questions else [],
        trust_remote_code,
        console,
        strength,
        [folder for one in dedicated for folder in Method.of(one).runs],
        stopping_answers,
    )
    plan.judge.tastes(field.subjects)  # stops here where a person has no judge, before any work
    folder = Path(out)
    rows, curves = all_rows(methods, rival, plan, type(source).__name__.lower(), folder)
    about = about_this_run(
        command="python -m eval.generations " + shlex.join(sys.argv[1:]),
        split=split,
        seed=seed,
        counts={
            "people": len(field.subjects),
            "prompts": len(field.prompts),
            "context shorter than asked": field.shortened(sizes[-1]),
        },
        **({"continuum": {m: between_types.monotone(c) for m, c in curves.items()}} if curves else {}),
    )
    report = Report(rows, about)
    _save(report, curves, folder)
    _print(report, Console())
    return report


def _save(report: Report, curves: Mapping[str, Sequence[between_types.Curve]], folder: Path) -> None:
    report.save(folder)
    if any(curves.values()):
        between_types.plot(curves, folder / "continuum.png")
    if tradeoff.plot(report.frame, folder / tradeoff.PICTURE) or any(curves.values()):
        # Reports know of their own pictures only.
        names = sorted(path.name for path in folder.glob("*.png"))
        write_whole(folder / "report.md", report.markdown(names))


def _print(report: Report, out: Console) -> None:
    """The largest context: movement of every group with its interval, and reversed; then the curves."""
    out.width, frame = max(out.width, 120), report.frame
    size = frame.context_size.max()
    here = frame[(frame.context_size == size) & frame.metric.isin([MOVEMENT, REVERSED, OWN])]
    about = here.method + ": " + here.group + (", " + here.slice).where(here.slice != "", "")
    text = texts(here, "interval", sign=True)
    cells = wide(here.assign(about=about), "about", "metric", text)
    out.print(console(cells.rename_axis(f"after {size} choices [95 %]")))
    report.print_tables(
        out, ("against_pooled_win_rate", "against_reference_win_rate", "kl_per_token", "implicit_accuracy")
    )


if __name__ == "__main__":
    run_recipe(generations, repeatable=["run", "judge", "unseen", "dedicated"])
