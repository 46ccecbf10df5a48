"""Numbers with their intervals, as tables, pages and pictures."""
