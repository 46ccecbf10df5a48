"""Train a policy by NP-DPO: `python -m train.policy --config configs/policy/sandbox.yaml`."""

from fsa.cli.recipes import run_recipe
from fsa.recipes.policy import train_policy

if __name__ == "__main__":
    run_recipe(train_policy)
