"""Measures of classifiers: numbers in, numbers out."""
