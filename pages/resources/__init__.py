"""What the pages keep in memory, one file a subject. Keys are names and fingerprints, never tables or models."""
