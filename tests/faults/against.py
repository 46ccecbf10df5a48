"""Runs the tests of faults against an older tree: `python tests/faults/against.py [COMMIT]`.

Prints, for each id, whether a test of it fails there on an assertion of its own. What cannot be imported,
collected or set up there does not count.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WANTED = [*(f"F{i}" for i in range(1, 44)), *(f"S{i}" for i in range(1, 8)), *(f"N{i}" for i in range(1, 15))]


def main(commit: str = "1481ad7") -> None:
    with tempfile.TemporaryDirectory() as work:
        tree, report = Path(work) / "tree", Path(work) / "report.xml"
        subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
        try:
            shutil.copytree(ROOT / "tests" / "faults", tree / "tests" / "faults")
            beside = tree / "tests" / "factories"
            beside.mkdir(exist_ok=True)
            shutil.copy(ROOT / "tests" / "factories" / "byte_llama.py", beside)
            environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "pytest", "tests/faults", "-k", "fault", "-n", "2", "--tb=line"]
            subprocess.run([*command, f"--junitxml={report}"], cwd=tree, env=environment, check=False)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
        found = outcomes(report)
    for name in WANTED:
        print(f"{name:4} {found.get(name, 'no test')}")
    failed = sum(found.get(name, "").startswith("fails") for name in WANTED)
    print(f"{failed} of {len(WANTED)} ids have a test that fails at {commit} on its own assertion")


def outcomes(report: Path) -> dict[str, str]:
    """What came of each id's tests: an assertion of one failed, all passed, or none got so far."""
    of_each: dict[str, list[str]] = defaultdict(list)
    for case in ElementTree.parse(report).iter("testcase"):
        named = re.match(r"test_fault_([FSN]\d+)_", case.get("name", ""))
        if named is None:
            continue
        failure, error = case.find("failure"), case.find("error")
        if error is not None:
            of_each[named[1]].append("cannot be set up there")
        elif failure is None:
            of_each[named[1]].append("passes")
        else:
            said = failure.get("message", "")
            is_own = said.startswith(("AssertionError", "assert ", "Failed: DID NOT RAISE"))
            of_each[named[1]].append("fails" if is_own else f"error: {said[:60]}")
    words = {}
    for name, all_of_it in of_each.items():
        fails = all_of_it.count("fails")
        others = ", ".join(sorted({one for one in all_of_it if one != "fails"}))
        words[name] = f"fails ({fails} of {len(all_of_it)} tests)" if fails else others
    return words


if __name__ == "__main__":
    main(*sys.argv[1:])
