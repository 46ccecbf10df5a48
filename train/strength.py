"""Choose how far a trained policy goes from its reference: `python -m train.strength --run runs/policy`."""

from fsa.cli.recipes import run_recipe
from fsa.recipes.strength import fit_strength

if __name__ == "__main__":
    run_recipe(fit_strength)
