"""Parts of Map."""
