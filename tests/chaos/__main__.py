"""Kill and hinder every kind of work, and look that nothing is lost: `make chaos`."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from eval.bench.serve_kill import killed
from eval.bench.serve_models import save_load
from tests.chaos.harm import FAULTS, Chaos, Harmed, counted
from tests.chaos.work import ALL, Work, prepared
from tests.factories.byte_llama import save_byte_llama
from tests.faults.commands import command

SERVE = "serve"


def main() -> None:
    given = _arguments()
    torch.set_num_threads(1)
    folder = Path(given.out or tempfile.mkdtemp(prefix="fsa-chaos-"))
    started = time.monotonic()
    found: list[Harmed] = []
    for work in works(folder, given.work):
        chaos = Chaos(work, folder / "work", Random(f"{given.seed}/{work.name}"))
        say(f"{work.name}: {chaos.seconds:.1f} s undisturbed, first kept after {chaos.kept_after:.1f} s")
        for one in chaos.kills(given.kills):
            found.append(one)
            say_wrong(one)
        for kind in FAULTS if given.faults else ():
            found.append(chaos.fault(kind))
            say_wrong(found[-1])
    if given.work in (None, SERVE):
        found += serve(folder, given.kills, Random(given.seed))
    print("\n".join(counted(found)))
    wrong = sum(bool(one.wrong) for one in found)
    minutes = (time.monotonic() - started) / 60
    kills = [one for one in found if one.harm == "kill" and one.phase != "it had ended"]
    late = sum(one.phase.startswith("after") for one in kills)
    print(
        f"{len(kills)} kills, {late} of them after the first checkpoint or row, "
        f"{len(found) - len(kills)} other faults; "
        f"{wrong} lost or mixed; {minutes:.1f} minutes, seed {given.seed}"
    )
    sys.exit(bool(wrong))


def works(folder: Path, name: str | None = None) -> list[Work]:
    """The kinds of work, with all that they need."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["FSA_CACHE"] = str(folder / "cache")
    if not (folder / "llama").exists():
        save_byte_llama(folder / "llama")
    for made, given in prepared(folder):
        if not (folder / made / "model.safetensors").exists():
            command(*given).went_well()
    return [work for work in (make(folder) for make in ALL) if name in (None, work.name)]


def serve(folder: Path, kills: int, draw: Random) -> list[Harmed]:
    """Kill a server that eight clients write to; every choice that was answered has to be there once."""
    model = save_load(folder / "served", "numbers", 1).model
    found = []
    for number in range(kills):
        seconds = draw.uniform(0.2, 1.0)
        try:
            answered, wrong = killed(model, f"sqlite:///{folder}/people-{number}.db", 1, seconds), ""
        except Exception as error:
            answered, wrong = 0, f"{type(error).__name__}: {error}"
        phase = f"{'after' if answered else 'before'} the first that is kept"
        found.append(Harmed(SERVE, "kill", phase, wrong))
        say_wrong(found[-1])
    return found


def say(line: str) -> None:
    print(line, flush=True)


def say_wrong(one: Harmed) -> None:
    if one.wrong:
        say(f"  LOST {one.work}, {one.harm}, {one.phase}: {one.wrong[-1500:]}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--work", help="one kind alone; all if not given")
    parser.add_argument("--kills", type=int, default=11, help="of each kind of work")
    parser.add_argument("--faults", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="folder; a temporary one if not given")
    return parser.parse_args()


if __name__ == "__main__":
    main()
