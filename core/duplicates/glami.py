"""GLAMI-1M's rule for removing duplicates from the test split, as a detector.

A test product goes where its name and description stand in train letter by letter, or where the train picture nearest
to its own is over 0.99 alike and so is that product's text (docs/development/results.md; the notebook of the published repository).
Here the text may be that of any train product with the nearest picture: their library chose one of equals arbitrarily.
"""

from __future__ import annotations

import numpy as np

from core.catalog.products import Products
from core.duplicates.detectors import NearPairs, gathered
from core.duplicates.inputs import Detection, distinct_vectors, picture_set, split_codes, text_set
from core.embeddings.store import unit
from core.errors import DuplicatesError
from core.progress import Progress, no_progress

BLOCK = 2_048


def detect_glami(
    products: Products, vectors: str, least: float, progress: Progress = no_progress
) -> Detection:
    """Pairs of a test and a train product that GLAMI's rule takes at a threshold of `least` or more.

    Raises:
        DuplicatesError: there is no train or no test part, or vectors are missing.
    """
    import faiss

    names, split = split_codes(products)
    if not {"train", "test"} <= set(names):
        raise DuplicatesError(
            f"GLAMI's rule compares test with train; {products.info.name} has only: {', '.join(names)}."
        )
    pictures, texts = picture_set(products.info, vectors), text_set(products.info)
    train, test = (np.flatnonzero(split == names.index(name)) for name in ("train", "test"))
    a, b, likeness = [], [], []

    table = products.table("SELECT name, description FROM cohort ORDER BY row_id")
    joined = [
        f"{'nan' if name is None else name} {description or ''}"
        for name, description in zip(table["name"].to_pylist(), table["description"].to_pylist(), strict=True)
    ]
    first = {joined[row]: row for row in train[::-1].tolist()}
    same = [(row, first[joined[row]]) for row in test.tolist() if joined[row] in first]
    for row, other in same:
        a.append(row)
        b.append(other)
        likeness.append(1.0)

    code, wide = distinct_vectors(pictures)
    train = train[code[train] >= 0]
    shown, begins = np.unique(code[train], return_inverse=True)
    listings: list[list[int]] = [[] for _ in shown]
    for row, place in zip(train.tolist(), begins.tolist(), strict=True):
        listings[place].append(row)
    test = test[code[test] >= 0]
    if len(shown) and len(test):
        index = faiss.IndexFlatIP(wide.shape[1])
        index.add(wide[shown])
        for start in range(0, len(test), BLOCK):
            rows = test[start : start + BLOCK]
            alike, found = index.search(np.ascontiguousarray(wide[code[rows]]), 1)
            for row, score, place in zip(
                rows.tolist(), alike[:, 0].tolist(), found[:, 0].tolist(), strict=True
            ):
                if score < least:
                    continue
                others = [other for other in listings[place] if texts.present[other]]
                if not others or not texts.present[row]:
                    continue
                cosines = unit(texts.vectors[others])[0] @ unit(texts.vectors[[row]])[0][0]
                best = int(np.argmax(cosines))
                both = min(score, float(cosines[best]))
                if both >= least:
                    a.append(row)
                    b.append(others[best])
                    likeness.append(min(both, 1.0))
            progress(start + len(rows), len(test), "Comparing test with train")
    near = NearPairs.none()
    if a:
        near = gathered(np.array(a, np.int64), np.array(b, np.int64), np.array(likeness, np.float32))
    rows = np.arange(len(products), dtype=np.int64)
    notes = (
        f"{len(same):,} test products have the name and description of one in train, character by character.",
    )
    made = " + ".join(one.description.created for one in (pictures, texts))
    return Detection("glami", rows, rows, near, notes, f"{pictures.name} + {texts.name}", made)
