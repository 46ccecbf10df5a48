"""Whether asking pays: `python -m eval.questions`."""
