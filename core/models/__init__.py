"""Classifiers: networks, inference, explanations."""
