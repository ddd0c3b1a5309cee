"""Parts of Duplicates."""
