"""Parts of Home."""
