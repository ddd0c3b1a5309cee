"""Which classes the review offers: those of similar products, in a random order, where the dataset has vectors."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import numpy as np
from cachetools import LRUCache

from core.audit.records import Item, Plan
from core.audit.suggestions import likeliest
from core.catalog.cohort import path_text
from core.catalog.info import DatasetInfo
from core.embeddings import store
from core.errors import VitrineError
from pages.resources import products

_LOCK = threading.Lock()
_KNOWN: LRUCache[tuple[str, str, int], list[str]] = LRUCache(50_000)  # vectors, plan, item -> classes


def suggested(info: DatasetInfo, plan: Plan, items: Sequence[Item]) -> dict[int, list[str]]:
    """The likeliest few classes of each item by its number, in a random order of its own; nothing without vectors."""
    sets = store.preferred(store.sets(info))
    if not sets or not items:
        return {}
    made = f"{info.created} {sets[0][0]} {sets[0][1].created}"
    with _LOCK:  # two people who begin together compute once
        missing = [one for one in items if (made, plan.plan, one.item) not in _KNOWN]
        if missing:
            try:
                vectors = store.open_set(info, sets[0][0])
            except VitrineError:  # removed meanwhile: a review works without suggestions
                return {}
            classes = products.table(info.name).columns.category
            named = [path_text(path or ()) for path in classes.values]
            rows = np.array([one.row_id for one in missing], np.int64)
            present = vectors.present & classes.where(bool)
            for one, codes in zip(
                missing, likeliest(vectors.vectors, present, classes.codes, rows), strict=True
            ):
                found = [named[code] for code in codes if named[code] in plan.labels]
                random.Random(f"{plan.seed} {one.item}").shuffle(found)
                _KNOWN[made, plan.plan, one.item] = found
        return {one.item: _KNOWN.get((made, plan.plan, one.item), []) for one in items}
