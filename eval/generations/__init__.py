"""What a steered policy writes: `python -m eval.generations`."""
