"""Incorrect image-text pairs for contrastive training, generated from frozen vectors."""
