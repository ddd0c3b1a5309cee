"""Parts of Languages."""
