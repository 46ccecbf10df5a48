"""Reading of files of choices, and of other layouts."""
