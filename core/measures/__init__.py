"""Metrics of classifiers, with calibration and confidence intervals: arrays in, numbers out."""
