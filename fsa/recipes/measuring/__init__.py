"""What all measuring recipes share: runs, their predictions, and rows of numbers."""
