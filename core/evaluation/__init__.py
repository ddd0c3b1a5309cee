"""Evaluations of classifiers: running, caching and drawing them."""
