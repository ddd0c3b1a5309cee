"""Maps: projecting vectors, naming regions, measuring quality."""
