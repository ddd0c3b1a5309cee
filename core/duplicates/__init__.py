"""Duplicates within splits, and leakage between them.

`hashing` reads every picture once; `detectors` defines the detectors; `finding` runs them and caches
the pairs; `leakage` counts at a threshold and lists products to drop; `report` writes the certificate; `judging`
estimates precision from people's judgements; `lookalikes` and `twins` are separate analyses.
"""
