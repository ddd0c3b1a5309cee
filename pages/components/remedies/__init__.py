"""Parts of Label remedies."""
