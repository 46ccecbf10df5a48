"""Small things are written once: the bootstrap, the rename of a finished file, the palette."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.sources import holds_code

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("fsa", "eval", "train")


def sources() -> Iterator[tuple[str, str]]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(paths) > 200
    return ((path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths)


@pytest.mark.parametrize(
    ("what", "pattern", "home"),
    [
        # Drawing units with replacement, and reading an interval off the draws.
        (
            "bootstrap",
            r"(?<!torch)\.multinomial\(|nanquantile\(|percentile\([^\n]*2\.5",
            "fsa/reports/bootstrap.py",
        ),
        (
            "rename of a finished file",
            r"os\.(replace|rename)\(|unfinished\.replace\(|\.rename\((?!columns)",
            "fsa/files.py",
        ),
        ("palette", r"\"#[0-9A-Fa-f]{6}\"", "fsa/reports/plots.py"),
        ("PNG", r"\.savefig\(", "fsa/reports/plots.py"),
    ],
)
def test_it_is_in_one_place(what, pattern, home):
    assert {path for path, text in sources() if re.search(pattern, text)} == {home}, what


def test_one_class_resamples():
    found = [
        f"{path}: {node.name}"
        for path, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and "esampl" in node.name
    ]
    assert found == ["fsa/reports/bootstrap.py: Resamples"]


def test_eval_is_a_few_files_and_packages():
    assert len(list((ROOT / "eval").glob("*.py"))) <= 13


def test_every_file_with_code_has_a_test_beside_it():
    """`fsa/x/y.py` has `tests/fsa/x/test_y.py`; a table of texts and a package's docstring need none."""
    with_code = [path for path, text in sources() if holds_code(text)]
    missing = [path for path in with_code if not (ROOT / beside(path)).is_file()]
    assert not missing, "\n".join(missing)
    assert len(with_code) > 250


def beside(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"tests/{folder}/test_{name.strip('_').removesuffix('.py').strip('_')}.py"
