"""The steerable judge: `python -m eval.steerable`."""
