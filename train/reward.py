"""Train a reward model: `python -m train.reward --config configs/reward/choices.yaml --source.path FILE`."""

from fsa.cli.recipes import run_recipe
from fsa.recipes.reward import train_reward

if __name__ == "__main__":
    run_recipe(train_reward)
