"""Close the benchmark of a split, and open it again."""

from __future__ import annotations

import secrets

from core.benchmark.records import Closed
from core.benchmark.store import Submissions
from core.catalog.info import info
from core.catalog.sealed import seal, sealed_split, unseal


def close(
    dataset: str, split: str = "test", per_day: int = 5, public: float = 0.5, store: Submissions | None = None
) -> Closed:
    """Keep a split's labels out of the dataset, and show scores of a public part alone. Again: change the limits.

    Raises:
        BenchmarkError: a limit is out of its range.
        UsageError: the dataset has no such split, or another is closed.
        StorageError: the folder cannot be written.
    """
    store = store or Submissions()
    there = next((one for one in store.closed(dataset) if one.split == split), None)
    # The seed is secret, and stays: who knew the public part could tell scores on it from the others.
    closed = Closed(dataset, split, per_day, public, there.seed if there else secrets.randbelow(2**62))
    if sealed_split(info(dataset)) != split:
        seal(dataset, split)
    store.close(closed)
    return closed


def reopen(dataset: str, store: Submissions | None = None) -> list[str]:
    """Show all labels and scores again; the splits that were closed.

    Raises:
        UsageError: none was.
    """
    store = store or Submissions()
    splits = [one.split for one in store.closed(dataset)]
    unseal(dataset)
    for split in splits:
        store.open(dataset, split)
    return splits
