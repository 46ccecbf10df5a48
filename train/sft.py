"""Train a language model on responses: `python -m train.sft --config configs/policy/sft_sandbox.yaml`."""

from fsa.cli.recipes import run_recipe
from fsa.recipes.sft import train_sft

if __name__ == "__main__":
    run_recipe(train_sft)
