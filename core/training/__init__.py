"""The training loop, checkpoints, runs and their processes."""
