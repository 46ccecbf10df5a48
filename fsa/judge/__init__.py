"""Judges: from responses to a score per attribute, and from scores to the response nearest a target."""
