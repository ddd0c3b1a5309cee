"""Read, validate and resize pictures from files, archives and the web."""
