"""Command lines: the `fsa` command, and those of recipes."""
