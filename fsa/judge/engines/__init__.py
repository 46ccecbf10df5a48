"""Engines: what carries questions to a language model and its answers back."""
