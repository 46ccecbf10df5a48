"""Few-shot steerable alignment: one person's reward model from three to ten of their choices.

Public names resolve when they are asked for, so that `import fsa` loads neither torch nor transformers.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsa.outputs.loading import load
    from fsa.outputs.policy import Policy, PolicyPerson
    from fsa.outputs.reward_model import Person, RewardModel, Scores
    from fsa.outputs.statements import Bank
    from fsa.recipes.fit import fit
    from fsa.types import Choice, Pick, Ranking, Tie

__all__ = [
    "Bank",
    "Choice",
    "Person",
    "Pick",
    "Policy",
    "PolicyPerson",
    "Ranking",
    "RewardModel",
    "Scores",
    "Tie",
    "fit",
    "load",
]

_HOMES = {
    **dict.fromkeys(("Policy", "PolicyPerson"), "fsa.outputs.policy"),
    **dict.fromkeys(("Person", "RewardModel", "Scores"), "fsa.outputs.reward_model"),
    "Bank": "fsa.outputs.statements",
    "fit": "fsa.recipes.fit",
    "load": "fsa.outputs.loading",
    **dict.fromkeys(("Choice", "Pick", "Ranking", "Tie"), "fsa.types"),
}

try:
    __version__ = version("fsa")
except PackageNotFoundError:  # run from a folder that was never installed
    __version__ = "unknown"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fsa' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
