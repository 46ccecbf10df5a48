"""The page of a server, with the demo's model: `make page`, or `python -m eval.page`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from eval.demo import train
from eval.page.composed import composed
from fsa.cli.lines import as_lines
from fsa.cli.recipes import run_recipe
from fsa.serve.server import run
from fsa.serve.settings import Settings

_DEMO = "runs/demo"


def page(model: str = _DEMO, policy: str = "", out: str = "runs/page", port: int = 8000) -> None:
    """Serve the page at / on this machine: a person chooses, and watches the model understand.

    Args:
        model: Run folder of the demo's model, trained now (3 minutes) where there is none; or another model,
            such as "starter".
        policy: Run folder of a policy, whose answers are then shown as well.
        out: Folder of the candidates and of the database of people.
        port: Port to listen on.
    """
    console, folder = Console(), Path(out)
    if model == _DEMO and not Path(model).is_dir():
        console.print(f"There is no model in {model} yet: training the demo's.")
        train(Path(model))
    folder.mkdir(parents=True, exist_ok=True)
    candidates, people = folder / "candidates.jsonl", folder.resolve() / "people.db"
    candidates.write_text(as_lines(composed()), "utf-8")
    console.print(f"\nThe page: [bold]http://127.0.0.1:{port}/[/] (Ctrl-C ends it)")
    console.print(f"Choices are kept in {people}.\n")
    run(Settings(model, policy=policy, candidates=str(candidates), store=f"sqlite:///{people}", port=port))


if __name__ == "__main__":
    run_recipe(page)
