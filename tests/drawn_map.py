"""A map on disk without making one: points where a test wants them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalog import info as catalog
from core.catalog.info import DatasetInfo
from core.catalog.map_files import MapDescription, Region
from core.catalog.products import Products


def write_map(
    info: DatasetInfo, points: NDArray[np.floating], clusters: NDArray[np.integer], labels: list[str]
) -> Path:
    """Write the map `drawn`. Row i lies at points[i] in the region labels[clusters[i]]; -1 is in none."""
    folder = info.folder / "maps" / "drawn"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "points.npy", points.astype(np.float32))
    np.save(folder / "clusters.npy", clusters.astype(np.int32))
    regions = []
    for cluster, label in enumerate(labels):
        mine = points[clusters == cluster]
        x, y = np.nanmean(mine, axis=0).tolist()
        regions.append(Region(cluster, x, y, len(mine), label, label, 1.0, [f"{label} word"]))
    present = int(np.count_nonzero(~np.isnan(points[:, 0])))
    described = MapDescription(
        name="drawn", vectors="drawn", encoder="drawn", tower="imported", dense=False, method="umap",
        fingerprint=info.fingerprint, vectors_created="", vectors_digest="", rows=info.rows, present=present,
        different=present, fitted=present, seed=0, parameters={}, quality={}, regions=regions, seconds={"all": 0.0},
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    (folder / "map.json").write_text(json.dumps(asdict(described)), encoding="utf-8")
    return folder


def by_category(name: str) -> dict[str, tuple[float, float, int]]:
    """A map with a crowd a category, in a grid: label -> (x, y) of its middle and how many lie there."""
    info = catalog.info(name)
    rows = Products.open(name).frame("SELECT row_id, category FROM cohort ORDER BY row_id")
    labels = [str(label) for label in rows["category"].value_counts().index]
    clusters = rows["category"].map({label: at for at, label in enumerate(labels)}).to_numpy()
    side = int(np.ceil(np.sqrt(len(labels))))
    middles = np.array([[at % side, at // side] for at in range(len(labels))]) / max(1, side - 1) * 1.6 - 0.8
    noise = np.random.default_rng(0).uniform(-1, 1, (len(rows), 2)) * 0.45 / side
    write_map(info, middles[clusters] + noise, clusters, labels)
    return {label: (*middles[at].tolist(), int((clusters == at).sum())) for at, label in enumerate(labels)}
