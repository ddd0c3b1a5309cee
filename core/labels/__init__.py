"""Labels that are few, shifted, noisy, or named twice."""
