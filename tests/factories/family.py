"""Members of a family, found by walking its folder; the test file beside each makes a small one."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any


def members(package: ModuleType, base: type) -> dict[str, type]:
    """Every class of the package that is a `base` and can be made, by name."""
    return {
        name: member
        for module in _modules(package)
        for name, member in vars(module).items()
        if inspect.isclass(member)
        and issubclass(member, base)
        and not inspect.isabstract(member)
        and member.__module__ == module.__name__
    }


def functions(package: ModuleType) -> dict[str, Callable[..., Any]]:
    """Every public function of the package, by name."""
    return {
        name: part
        for module in _modules(package)
        for name, part in vars(module).items()
        if inspect.isfunction(part) and part.__module__ == module.__name__ and not name.startswith("_")
    }


def example(member: type) -> Callable[..., Any]:
    """What makes a small one: `EXAMPLES` of the test file beside the member, by its name."""
    room, _, module = member.__module__.rpartition(".")
    beside = importlib.import_module(f"tests.{room}.test_{module}")
    known = getattr(beside, "EXAMPLES", {})
    assert member.__name__ in known, (
        f"{beside.__name__} must hold EXAMPLES, with a function that makes a small {member.__name__}"
    )
    made: Callable[..., Any] = known[member.__name__]
    return made


def _modules(package: ModuleType) -> list[ModuleType]:
    found = [each.name for each in pkgutil.iter_modules(package.__path__) if not each.ispkg]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in sorted(found)]
