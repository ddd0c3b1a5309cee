"""Parts of Evaluate."""
