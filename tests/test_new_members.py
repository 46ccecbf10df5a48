"""A new member is one file and one test: in a copy, five of them are found and held to their contracts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow

# By the file under fsa/: what it holds, and what the test file beside it holds.
MEMBERS = {
    "choices/new_source.py": (
        """
        from fsa.choices.source import Source
        from fsa.choices.table import ChoiceTable
        from fsa.types import Choice, Pick


        class NewSource(Source):
            def __init__(self, people: int = 4) -> None:
                self.people = people

            def load(self) -> ChoiceTable:
                pairs = ((u, i) for u in range(self.people) for i in range(3))
                return ChoiceTable.from_choices(
                    Choice(f"u{u}", f"p{i}", ("yes", "no"), Pick(u % 2)) for u, i in pairs
                )
        """,
        'EXAMPLES = {"NewSource": lambda folder: {"people": 30}}',
    ),
    "features/new_extractor.py": (
        """
        import numpy as np

        from fsa.features.extractor import FeatureExtractor


        class NewExtractor(FeatureExtractor):
            fingerprint, width = "new", 2

            def extract(self, prompts, responses, progress=False):
                rows = [[len(str(response)), str(response).count(" ")] for response in responses]
                return np.array(rows, np.float32).reshape(-1, 2)
        """,
        "from fsa.features.new_extractor import NewExtractor\n\n\n"
        'EXAMPLES = {"NewExtractor": lambda backbones: NewExtractor()}',
    ),
    "metrics/new_metric.py": (
        """
        import numpy as np


        def new_metric(probabilities, places):
            '''Probability of the options picked.'''
            return np.where(places == 0, probabilities, 0).sum(-1)
        """,
        "",
    ),
    "judge/new_judge.py": (
        """
        import numpy as np

        from fsa.judge.judge import Judge
        from fsa.judge.scores import AttributeScores


        class NewJudge(Judge):
            attributes = ("long",)

            def score(self, probes, progress=False):
                return [
                    AttributeScores(("long",), np.array([[min(len(r) / 500, 1.0)] for r in probe.responses]))
                    for probe in probes
                ]
        """,
        'from fsa.judge.new_judge import NewJudge\n\n\nEXAMPLES = {"NewJudge": NewJudge}',
    ),
    "questions/new_gain.py": (
        """
        from fsa.questions.acquisition import Acquisition


        class NewGain(Acquisition):
            def worth(self, first, weight):
                mean = (weight[:, None] * first).sum(0)
                return mean * (1 - mean)

            def why(self, worth, chance):
                return "the answer is the least certain"
        """,
        "",
    ),
}
# What each contract asks of its new member, at least.
TESTS = {"NewSource": 5, "NewExtractor": 4, "new_metric": 4, "NewJudge": 3, "NewGain": 3}
CONTRACTS = [
    f"tests/fsa/{room}/test_contract.py" for room in ("choices", "features", "metrics", "judge", "questions")
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The package and its tests, with the members and the tests beside them; no other file is touched."""
    folder = tmp_path_factory.mktemp("scratch")
    left_out = shutil.ignore_patterns("__pycache__", "starter")
    for name in ("fsa", "tests", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, (code, test) in MEMBERS.items():
        room, _, module = name.partition("/")
        lines = code.strip("\n").split("\n")
        (folder / "fsa" / name).write_text('"""A new member."""\n\n' + "\n".join(line[8:] for line in lines))
        (folder / "tests/fsa" / room / f"test_{module}").write_text(f'"""Beside it."""\n\n{test}\n')
    return folder


def held_to_contract(folder: Path, contracts: list[str], names: list[str]) -> str:
    """A run of contracts, of some members' tests alone: a line each test, with how it ended."""
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "-rA", "--tb=line"]
    paths = {**os.environ, "PYTHONPATH": str(folder)}
    chosen = [*command, "-k", " or ".join(names), *contracts]
    return subprocess.run(chosen, cwd=folder, env=paths, capture_output=True, text=True).stdout


def test_they_are_found_and_keep_their_promises_and_one_that_breaks_its_own_is_caught(copy):
    good = (copy / "fsa" / "questions" / "new_gain.py").read_text()
    bad = good.replace("mean * (1 - mean)", "-mean").replace("NewGain", "BadGain")
    (copy / "fsa" / "questions" / "bad_gain.py").write_text(bad)
    said = held_to_contract(copy, CONTRACTS, [*TESTS, "BadGain"])
    kept = {name: len(re.findall(rf"PASSED \S*\[{name}\]", said)) for name in TESTS}
    assert {name for name in TESTS if kept[name] < TESTS[name]} == set(), said
    caught = len(re.findall(r"FAILED \S*\[BadGain\]", said))
    assert said.count("FAILED") == caught > 0, said
