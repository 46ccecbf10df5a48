"""Which pair to show a person next: acquisition functions over a belief."""
