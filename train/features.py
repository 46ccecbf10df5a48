"""Fill the feature store before training: `python -m train.features --config configs/reward/choices.yaml`."""

import sys

from fsa.cli.ending import ending_well
from fsa.cli.recipes import run_recipe
from fsa.recipes.features import fill_features, of_training_config

if __name__ == "__main__":
    ending_well(lambda: run_recipe(fill_features, of_training_config(sys.argv[1:])))
