"""Parts of Alignment."""
