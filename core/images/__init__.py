"""Pictures: reading, bounding and shrinking them, from files, archives and the web."""
