"""Clusters on a map (HDBSCAN), named by category or by distinctive words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.catalog.cohort import brief_paths
from core.catalog.map_files import Region
from core.catalog.products import Products
from core.statistics.stopwords import of_languages
from core.statistics.tokens import cut
from core.statistics.words import PRIOR, log_odds

CLUSTERED = 20_000  # points given to HDBSCAN, whose time is quadratic
FEWEST = 20  # points of a cluster
NEAR = 5  # HDBSCAN's min_samples: more leaves more points in no cluster
PARTS = 100  # a cluster holds at least one point in so many
MAJORITY = 0.5  # of a region's products: a category with this share names it
READ = 150  # names of a region that are read for its words
READ_IN_ALL, COMPARED = 20_000, 10_000  # and of all products, to compare with
COMMON = 0.1  # least share of a region's names with a word; excludes brands and codes
WORDS = 3  # that name a region
WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
CHINESE = re.compile("[\u4e00-\u9fff]")
TELLING = 1.96  # z of a word: significant above it


def clusters(points: NDArray[np.floating], seed: int = 0) -> NDArray[np.int32]:
    """The cluster of each point, 0 being the largest; -1 for none.

    Beyond CLUSTERED points a sample is clustered, and each other point takes the cluster of its nearest sampled point.

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
        min_cluster_size=size, min_samples=NEAR, cluster_selection_method="leaf", copy=True
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
    """The clusters with centre, size, category and words; largest first.

    Args:
        points: (n, 2) by row_id; cluster: (n,) by row_id, -1 for none.
    """
    order = np.argsort(cluster, kind="stable")
    numbers = np.arange(int(cluster.max(initial=-1)) + 1)
    starts = np.searchsorted(cluster[order], np.append(numbers, len(numbers)))
    members = [order[starts[number] : starts[number + 1]] for number in numbers]
    everybody = order[starts[0] :] if len(numbers) else order[:0]
    words = _words(products, members, everybody, seed)
    found = []
    for number, (rows, told) in enumerate(zip(members, words, strict=True)):
        label, leaf, share = _named(products, rows, everybody, told)
        # The centre is a point of the cluster, so that the label of a crescent is not placed outside it.
        middle = np.median(points[rows], axis=0)
        x, y = points[rows[np.argmin(((points[rows] - middle) ** 2).sum(axis=1))]]
        found.append(
            Region(
                number, round(float(x), 4), round(float(y), 4), len(rows), label, leaf, round(share, 4), told
            )
        )
    found = disambiguated(found)
    return sorted(found, key=lambda region: (-region.size, region.cluster))


def _named(
    products: Products, rows: NDArray[np.int64], everybody: NDArray[np.int64], words: list[str]
) -> tuple[str, str | None, float]:
    """A region's label, its most frequent category, and that one's share.

    Without a majority category, over-represented categories are named: the most
    frequent ones would often be the same everywhere. Without these, its words.
    """
    category = products.columns.category
    total = np.bincount(category.codes[everybody], minlength=len(category.values))
    here = np.bincount(category.codes[rows], minlength=len(category.values))
    nameless = np.array([not path for path in category.values])
    total[nameless], here[nameless] = 0, 0
    if not here.any():
        return " · ".join(words), None, 0.0
    first = int(here.argmax())
    leaf, share = str(category.values[first][-1]), float(here[first]) / len(rows)
    brief = brief_paths(category.values)  # several categories may have one leaf
    if share >= MAJORITY:
        return brief[first], leaf, share
    z = log_odds(here, total, min(PRIOR, 0.05 * total.sum()))
    telling = [
        brief[code]
        for code in np.argsort(-z, kind="stable")[:4]
        if z[code] > TELLING and here[code] >= COMMON * len(rows)
    ]
    named = ", ".join(list(dict.fromkeys(telling))[:2])
    return named or " · ".join(words) or brief[first], leaf, share


def disambiguated(found: list[Region]) -> list[Region]:
    """Distinguish regions of the same name by one word, several words, or a number."""
    labels = _longer(found, [region.label for region in found], 1)
    for count in range(2, WORDS + 1):
        more = _longer(found, labels, count)
        labels = [
            after if Counter(other for other, old in zip(more, labels, strict=True) if old == before)[after] == 1 else before
            for before, after in zip(labels, more, strict=True)
        ]  # fmt: skip
    earlier: Counter[str] = Counter()
    for at, label in enumerate(labels):
        earlier[label] += 1
        labels[at] = f"{label} {earlier[label]}" if earlier[label] > 1 else label
    return [replace(region, label=label) for region, label in zip(found, labels, strict=True)]


def _longer(found: list[Region], labels: list[str], count: int) -> list[str]:
    """Those labels that occur again with so many of their region's own words."""
    longer = []
    for region, label in zip(found, labels, strict=True):
        own = [word for word in region.words if word not in region.label.lower()]
        longer.append(" · ".join([region.label, *own[:count]]) if labels.count(label) > 1 else label)
    return longer


def _some(rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _words(
    products: Products, groups: list[NDArray[np.int64]], everybody: NDArray[np.int64], seed: int
) -> list[list[str]]:
    """The most specific words of each group's names against all products on the map.

    Of a dataset in several languages each group is read in the language that most of it has, and compared with
    names of that language: otherwise the language would be all that the words tell. Words that occur in one name
    only tell nothing: they are article numbers.
    """
    rng = np.random.default_rng(seed)
    spoken = products.columns.choices["language"].codes
    common = _some(everybody, COMPARED, rng)
    language = [int(np.bincount(spoken[rows]).argmax()) for rows in groups]
    read = max(1, min(READ, READ_IN_ALL // max(1, len(groups))))
    chosen = [
        _some(rows[spoken[rows] == code], read, rng) for rows, code in zip(groups, language, strict=True)
    ]
    names = _names(products, np.concatenate([common, *chosen]))
    left_out = set(of_languages([known for known in products.columns.choices["language"].values if known]))
    background: dict[int, Counter[str]] = {}
    for row in common.tolist():
        background.setdefault(int(spoken[row]), Counter()).update(_cut(names.get(row)) - left_out)
    told = []
    for rows, code in zip(chosen, language, strict=True):
        own: Counter[str] = Counter()
        for row in rows.tolist():
            own.update(_cut(names.get(row)) - left_out)
        total = own + background.get(code, Counter())
        vocabulary = sorted(total)
        if len(groups) < 2 or not own:
            told.append([word for word, count in own.most_common(WORDS) if count > 1])
            continue
        counts = [total[word] for word in vocabulary]
        # Where few names were read, the prior of a large dataset would drown them.
        z = log_odds([own[word] for word in vocabulary], counts, min(PRIOR, 0.05 * sum(counts)))
        least = max(2, COMMON * len(rows))
        best = np.argsort(-z, kind="stable")[: 4 * WORDS]
        telling = [
            vocabulary[place] for place in best if z[place] > TELLING and own[vocabulary[place]] >= least
        ]
        told.append(telling[:WORDS])
    return told


def _names(products: Products, rows: NDArray[np.int64]) -> dict[int, str]:
    """The names of some products, by row_id."""
    sql = "SELECT row_id, name FROM cohort WHERE row_id IN (SELECT unnest(?)) AND name IS NOT NULL"
    found = products.table(sql, values=[np.unique(rows).tolist()])
    return dict(zip(found.column("row_id").to_pylist(), found.column("name").to_pylist(), strict=True))


def _cut(name: str | None) -> set[str]:
    """The different words of a name, but for those of one letter."""
    text = (name or "").lower()
    return set(cut(text)) if CHINESE.search(text) else {word for word in WORD.findall(text) if len(word) > 1}
