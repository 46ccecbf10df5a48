"""Train the small model that comes with fsa: `python -m train.starter --people PEOPLE`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fsa.choices.reading.written import record_of
from fsa.choices.rows import Rows
from fsa.choices.sandbox import Sandbox
from fsa.choices.source import Source
from fsa.cli.lines import as_lines
from fsa.cli.recipes import run_recipe
from fsa.files import write_whole
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.evaluate import context_curve
from fsa.recipes.reward import train_reward
from fsa.runs.licences import README
from fsa.types import Choice

ATTRIBUTION = """
## Whose choices it was trained on

- Votes of residents in eleven public conversations: data was gathered using the Polis software (see
  [compdemocracy.org/polis](https://compdemocracy.org/polis) and
  [github.com/compdemocracy/polis](https://github.com/compdemocracy/polis)) and is sub-licensed under
  CC BY 4.0 with Attribution to The Computational Democracy Project. Changed: votes became pairs.
- Judgements of arguments by crowd workers: UKPConvArg1, I. Habernal and I. Gurevych, *Which argument is more
  convincing?*, ACL 2016, CC BY 4.0. Changed: names became numbers.
- Simulated people of fsa's own sandbox.

These files hold no text of theirs: a linear map of MiniLM's features, and the weights of a small head.
"""


def train_starter(
    people: str, out: str = "fsa/starter", work: str = "runs/starter", max_steps: int = 1500, seed: int = 0
) -> None:
    """Train on the sandbox and two open sets of real people, measure on people left out, and write the model.

    Args:
        people: Folder of polis.jsonl.gz and arguments.jsonl.gz.
        out: Folder of the model: config.json, two files of weights and its card.
        work: Folder of the joined choices and the run.
        max_steps: Training steps at most.
        seed: Of splits, simulated people and training.
    """
    folder = Path(work)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "choices.jsonl"
    write_whole(file, as_lines(record_of(choice) for choice in joined(people, seed)))
    run = folder / "run"
    settings = [f"--source.path={file}", f"--out={run}", f"--seed={seed}", f"--loop.max_steps={max_steps}"]
    run_recipe(train_reward, ["--config", "reward/choices", "--overwrite", "true", *settings])
    context_curve([f"starter={run}"])
    RewardModel.from_pretrained(run).save_pretrained(out)
    card = Path(out) / README
    write_whole(card, card.read_text(encoding="utf-8") + ATTRIBUTION)


def joined(people: str, seed: int) -> Iterator[Choice]:
    """The choices of every source, under the source's name as group; people of two sources stay apart."""
    sources: dict[str, Source] = {
        "polis": Rows(f"{people}/polis.jsonl.gz"),
        "arguments": Rows(f"{people}/arguments.jsonl.gz"),
        "sandbox": Sandbox(num_users=600, seed=seed),
        "sandbox-continuum": Sandbox(num_users=400, tastes="continuous", seed=seed),
    }
    for name, source in sources.items():
        table = source.load()
        for row in range(len(table)):
            choice = table.choice(row)
            yield replace(choice, user=f"{name}/{choice.user}", group=name, split="")


if __name__ == "__main__":
    run_recipe(train_starter)
