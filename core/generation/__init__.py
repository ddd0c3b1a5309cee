"""Text-to-image generation of product pictures: the diffusion cascade."""
