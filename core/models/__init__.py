"""Classifiers: the networks, and what asks them."""
