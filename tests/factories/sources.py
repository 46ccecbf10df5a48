"""Python files of the packages, read as source: a module that cannot be imported is checked as well."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fsa", "train", "eval")


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


def lengths() -> dict[str, int]:
    """Lines of every file with code, tests among them, by path from the root; tables of texts left out."""
    paths = [path for folder in (*PACKAGES, "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}
    return {path: len(text.splitlines()) for path, text in texts.items() if holds_code(text)}


def holds_code(text: str) -> bool:
    """False for a table of texts: a file without a function or class."""
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(text).body)


def main() -> None:
    """Print how large the house is."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    total = sum(len(path.read_text("utf-8").splitlines()) for path in paths)
    longest, lines = max(lengths().items(), key=lambda each: each[1])
    print(f"{total:,} lines of Python in {', '.join(PACKAGES)}")
    print(f"{len(list((ROOT / 'eval').glob('*.py')))} files at the top of eval/")
    print(f"{lines} lines in the longest file with code, {longest}")
    print(f"{len((ROOT / 'docs/results.md').read_text('utf-8').splitlines()):,} lines in docs/results.md")


if __name__ == "__main__":
    main()
