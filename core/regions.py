"""Crowds on a map (HDBSCAN), and what tells each from the rest: its category, the words of its names."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.catalog import Products
from core.maps import Region
from core.statistics.stopwords import of_languages
from core.statistics.tokens import cut
from core.statistics.words import log_odds

CLUSTERED = 20_000  # points that HDBSCAN looks at: its time grows with their square
FEWEST = 10  # points of a cluster
PARTS = 150  # a cluster holds at least one point in so many
MAJORITY = 0.5  # of a region's products: then its category names it
READ = 150  # names of a region that are read for its words
READ_IN_ALL = 20_000
WORDS = 3  # that name a region
WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
CHINESE = re.compile("[\u4e00-\u9fff]")
TELLING = 1.96  # z of a word: above it, it is there more often than chance allows


def clusters(points: NDArray[np.floating], seed: int = 0) -> NDArray[np.int32]:
    """Which crowd each point belongs to, the largest being 0; -1 where it stands alone.

    Above CLUSTERED points a sample is clustered, and each other point goes where its nearest sampled one went.

    Args:
        points: (n, 2), finite, those of different vectors.

    Returns:
        (n,)

    Source: Campello, Moulavi and Sander 2013, HDBSCAN, as scikit-learn has it.
    """
    from sklearn.cluster import HDBSCAN

    n = len(points)
    if n < 2 * FEWEST or np.ptp(points, axis=0).max() == 0:
        return np.full(n, -1, np.int32)
    rng = np.random.default_rng(seed)
    sample = np.arange(n) if n <= CLUSTERED else np.sort(rng.choice(n, CLUSTERED, replace=False))
    chosen = np.asarray(points[sample], np.float64)
    size = max(FEWEST, len(sample) // PARTS)
    found = HDBSCAN(
        min_cluster_size=size, min_samples=min(FEWEST, size), cluster_selection_method="eom", copy=True
    ).fit_predict(chosen)
    if len(sample) < n:
        found = found[cKDTree(chosen).query(points)[1]]
    counts = np.bincount(found[found >= 0])
    rank = np.empty(len(counts) + 1, np.int32)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    rank[-1] = -1
    return rank[found]


def regions(
    products: Products, points: NDArray[np.floating], cluster: NDArray[np.int32], seed: int = 0
) -> list[Region]:
    """Each crowd with its middle, its size, its category and its words; largest first.

    Args:
        points: (n, 2) by row_id; cluster: (n,) by row_id, -1 for none.
    """
    found = []
    category = products.columns.category
    rng = np.random.default_rng(seed)
    order = np.argsort(cluster, kind="stable")
    numbers = np.arange(int(cluster.max(initial=-1)) + 1)
    starts = np.searchsorted(cluster[order], np.append(numbers, len(numbers)))
    read = min(READ, READ_IN_ALL // max(1, len(numbers)))
    members = [order[starts[number] : starts[number + 1]] for number in numbers]
    words = _words(products, [_some(rows, read, rng) for rows in members])
    for number, rows in zip(numbers.tolist(), members, strict=True):
        leaf, share = None, 0.0
        codes = np.bincount(category.codes[rows], minlength=len(category.values))
        named = [
            (int(count), path) for path, count in zip(category.values, codes, strict=True) if path and count
        ]
        if named:
            count, path = max(named, key=lambda entry: entry[0])
            leaf, share = path[-1], count / len(rows)
        told = words[number]
        label = leaf if leaf is not None and (share >= MAJORITY or not told) else " · ".join(told)
        # The middle is a point of the crowd, so that a label never stands in a crescent's empty middle.
        middle = np.median(points[rows], axis=0)
        x, y = points[rows[np.argmin(((points[rows] - middle) ** 2).sum(axis=1))]]
        found.append(
            Region(
                number,
                round(float(x), 4),
                round(float(y), 4),
                len(rows),
                label or "",
                leaf,
                round(share, 4),
                told,
            )
        )
    return sorted(found, key=lambda region: (-region.size, region.cluster))


def _some(rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _words(products: Products, groups: list[NDArray[np.int64]]) -> list[list[str]]:
    """The words of the names that are most telling for each group against the others.

    Only words that occur in several names count: an article's number or a brand seen once tells nothing.
    """
    read = np.concatenate([*groups, np.empty(0, np.int64)]).astype(np.int64)
    if not len(read):
        return []
    names = dict(
        zip(
            read.tolist(),
            (row["name"] for row in products.by_row(read.tolist())),
            strict=True,
        )
    )
    languages = [language for language in products.facet("language") if language]
    left_out = set(of_languages(languages))
    counts: list[Counter[str]] = []
    for rows in groups:
        here: Counter[str] = Counter()
        for row in rows.tolist():
            text = (names[row] or "").lower()
            found = cut(text) if CHINESE.search(text) else [w for w in WORD.findall(text) if len(w) > 1]
            here.update(set(found) - left_out)
        counts.append(here)
    everything: Counter[str] = Counter()
    for here in counts:
        everything.update(here)
    vocabulary = [w for w, n in everything.items() if n > 1]
    total = np.array([everything[w] for w in vocabulary], np.float64)
    told = []
    for here in counts:
        own = np.array([here[w] for w in vocabulary], np.float64)
        if not own.sum() or len(counts) < 2:
            told.append([w for w, n in here.most_common(WORDS) if n > 1])
            continue
        z = log_odds(own, total)
        best = sorted(range(len(vocabulary)), key=lambda i: (-z[i], vocabulary[i]))[:WORDS]
        told.append([vocabulary[i] for i in best if z[i] > TELLING and own[i] > 1])
    return told
