"""Have a model answer prompts in several styles: `python -m train.answers --config policy/answers`."""

from fsa.cli.recipes import run_recipe
from fsa.recipes.answers import write_answers

if __name__ == "__main__":
    run_recipe(write_answers)
