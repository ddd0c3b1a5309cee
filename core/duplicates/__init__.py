"""Duplicates and leakage: what occurs twice in a dataset, and what its test part shares with its training part.

`hashing` looks at every picture once; `detectors` are the five ways of finding pairs; `finding` runs them and keeps
what they found; `leakage` counts at a threshold and says what to drop; `report` writes it down; `judging` turns a
person's yes and no into a precision; `lookalikes` and `twins` ask the two other questions.
"""
