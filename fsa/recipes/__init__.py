"""Recipes that train; `train/` holds their commands."""
