"""What may be asked of a generator; without torch, for screens and help texts."""

SAMPLERS = ("dpm-solver++", "ddim", "ancestral")
CHARACTERS = 500  # of a phrase
STEPS, GUIDANCE, COUNT, SEED = 500, 20.0, 16, 2**32 - 1  # most of each
