"""Parts of Search."""
