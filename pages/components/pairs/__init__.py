"""Parts of Pairs."""
