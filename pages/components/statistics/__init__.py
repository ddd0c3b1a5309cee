"""Parts of Statistics."""
