"""Accuracy by choices seen: `python -m eval.context_curve --run RUN --context-sizes 0,1,3,5,10`."""

from fsa.cli.recipes import run_recipe
from fsa.recipes.evaluate import context_curve

if __name__ == "__main__":
    run_recipe(context_curve, repeatable=["run"])
