"""Every method on every data set: `python -m eval.suite`."""
