"""Attack fsa with 10,000 cases: `make fuzz`, or `python -m tests.fuzz --target choices --cases 500`."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from tests.fuzz.put_back import MENDED, put_back
from tests.fuzz.running import Counts, attacked, fuzz
from tests.fuzz.targets import TARGETS


def main() -> None:
    given = _arguments()
    torch.set_num_threads(1)
    folder = Path(given.out or tempfile.mkdtemp(prefix="fsa-fuzz-"))
    targets = [target for target in TARGETS if given.target in (None, target.name)]
    if given.case is not None:
        (target,) = targets
        target.prepare(folder)
        target.start()
        tried, seconds = attacked(target, given.case, folder, given.seed)
        print(
            f"{tried.verdict}: {tried.what}\n{tried.why}\n{tried.said}\n{tried.site}\n{seconds:.1f} s; {folder}"
        )
        sys.exit(tried.verdict == "failed")
    started, all_counts = time.monotonic(), []
    for target in targets:
        cases = given.cases or target.cases
        with put_back(given.put_back) if given.put_back else contextlib.nullcontext():
            all_counts.append(fuzz(target, cases, folder, seed=given.seed, jobs=given.jobs))
        say(all_counts[-1])
    minutes = (time.monotonic() - started) / 60
    failed = sum(len(counts.failures) for counts in all_counts)
    tried = sum(counts.tried for counts in all_counts)
    print(
        f"{tried:,} cases, {failed} failed, {minutes:.1f} minutes, {given.jobs} processes, seed {given.seed}"
    )
    print(f"Failed cases are in {folder / 'failed'}" if failed else "Nothing failed.")
    sys.exit(bool(failed))


def say(counts: Counts) -> None:
    """Print what came of a target, and the first failures."""
    print(counts, flush=True)
    for number, tried in sorted(counts.failures, key=lambda one: one[0])[:20]:
        print(f"  FAILED {counts.name} {number}: {tried.what[:150]}: {tried.why[:300]}", flush=True)
        last = [line for line in tried.said.splitlines() if line.strip()]
        print("".join(f"         {line[:200]}\n" for line in [*last[:1], *last[-1:]]), end="", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--target", choices=[target.name for target in TARGETS], help="one alone; all if not given"
    )
    parser.add_argument("--cases", type=int, help="of each target; those of the whole run if not given")
    parser.add_argument("--case", type=int, help="number of the one case to run again, in this process")
    parser.add_argument("--put-back", choices=sorted(MENDED), help="a mended fault that is there again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", help="folder for failed cases; a temporary one if not given")
    return parser.parse_args()


if __name__ == "__main__":
    main()
