"""Fill the feature store before training: `python -m train.features --config configs/reward/choices.yaml`."""

import sys

from fsa.cli.recipes import run_recipe
from fsa.errors import FsaError
from fsa.recipes.features import fill_features, of_training_config

if __name__ == "__main__":
    try:
        sys.argv[1:] = of_training_config(sys.argv[1:])
    except FsaError as error:
        sys.exit(f"error: {error}")
    run_recipe(fill_features)
