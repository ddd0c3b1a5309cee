"""Text to product picture: the arithmetic of the diffusion cascade."""
