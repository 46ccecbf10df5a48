"""Few-shot steerable alignment: one person's reward model from three to ten of their choices.

Public names resolve when they are asked for, so that `import fsa` loads neither torch nor transformers.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from fsa.outputs.loading import load as load
    from fsa.outputs.policy import Policy as Policy
    from fsa.outputs.policy import PolicyPerson as PolicyPerson
    from fsa.outputs.reward_model import Person as Person
    from fsa.outputs.reward_model import RewardModel as RewardModel
    from fsa.outputs.reward_model import Scores as Scores
    from fsa.outputs.statements import Bank as Bank
    from fsa.recipes.fit import fit as fit
    from fsa.types import Choice as Choice
    from fsa.types import Pick as Pick
    from fsa.types import Ranking as Ranking
    from fsa.types import Tie as Tie

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "outputs.loading": ["load"],
        "outputs.policy": ["Policy", "PolicyPerson"],
        "outputs.reward_model": ["Person", "RewardModel", "Scores"],
        "outputs.statements": ["Bank"],
        "recipes.fit": ["fit"],
        "types": ["Choice", "Pick", "Ranking", "Tie"],
    },
)

try:
    __version__ = version("fsa")
except PackageNotFoundError:  # run from a folder that was never installed
    __version__ = "unknown"
