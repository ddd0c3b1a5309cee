"""Maps of a dataset on disk: `maps/<name>/`, row i being row_id i. Reading them needs only numpy.

`points.npy` is (n, 2) float32 within [-1, 1], NaN where a product has no vector; `clusters.npy` (n,) int32, -1
where it is in no cluster; `map.json` has the metadata. `core.maps.projection` writes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.polygon import inside
from core.errors import MapError, UsageError
from core.storage import holder, load_array

if TYPE_CHECKING:
    from core.catalog.info import DatasetInfo

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
DENSE = ".dense"  # suffix of the name of a densMAP map


@dataclass(frozen=True)
class Quality:
    """How well a map preserves neighbours, measured on `n` of its products among `among` of them.

    Products that share one vector count once. None where there were too few to measure.
    """

    n: int
    among: int
    neighbours: int  # k, the number of neighbours
    trustworthiness: float | None  # 1: no false neighbours; 0.5: random placement
    neighbour_recall: float | None  # share of the k nearest by vector among the k nearest on the map


@dataclass(frozen=True)
class Region:
    """A cluster of products on the map, and its distinctive words."""

    cluster: int  # its number in clusters.npy, 0 the largest
    x: float  # of its middle
    y: float
    size: int  # products
    label: str  # for the screen: its category, or its words where no category has most of it
    category: str | None  # the most frequent one
    share: float  # of its products that are of this category
    words: list[str] = field(default_factory=list)  # of the names, the most telling first


@dataclass(frozen=True)
class MapDescription:
    """The metadata of a map, from map.json."""

    name: str
    vectors: str  # the set of vectors
    encoder: str
    tower: str
    dense: bool
    method: str  # umap, or pca where there are too few different vectors for it
    fingerprint: str  # of the dataset
    vectors_created: str
    vectors_digest: str  # of the vectors' description: other vectors, another digest
    rows: int
    present: int  # rows with a vector, which are the points
    different: int  # vectors that differ; products with the same vector share a point
    fitted: int  # of the different ones, those that UMAP placed; the rest was placed by its neighbours
    seed: int
    parameters: dict[str, Any]
    quality: dict[str, Quality]  # "fitted", and "placed" where some were
    regions: list[Region]  # largest first
    seconds: dict[str, float]  # each step's, and "all"
    created: str = ""


@dataclass(frozen=True)
class Map:
    """A map that is current for its dataset and vectors; read only."""

    name: str
    description: MapDescription
    points: NDArray[np.float32]  # (n, 2), mapped from disk
    clusters: NDArray[np.int32]  # (n,), mapped from disk
    folder: Path


def folder_of(dataset: DatasetInfo, name: str) -> Path:
    """
    Raises:
        UsageError: the name cannot be a folder's.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a map. Use letters, digits, '-', '_' and '.', 80 at most.")
    return dataset.folder / "maps" / name


def maps(dataset: DatasetInfo) -> list[MapDescription]:
    """The maps that are current for the dataset and their vectors, newest first; outdated ones are skipped."""
    found = []
    for path in (dataset.folder / "maps").glob("*/map.json"):
        if NAME.fullmatch(path.parent.name):
            try:
                described = _described(path)
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue
            if described.name == path.parent.name and _stale(dataset, described) is None:
                found.append(described)
    return sorted(found, key=lambda described: (described.created, described.name), reverse=True)


def read_map(dataset: DatasetInfo, name: str) -> Map:
    """Open one map.

    Raises:
        UsageError: the name cannot be a map's.
        MapError: there is none, it is older than its vectors, of another state of the dataset, or broken;
            the text says what to run.
    """
    folder = folder_of(dataset, name)
    if not (folder / "map.json").exists():
        have = ", ".join(known.name for known in maps(dataset)) or "none yet"
        raise MapError(
            f"{dataset.name} has no map {name!r} (there are: {have}). Make it: {command(dataset.name, name)}"
        )
    again = f"Make it again: {command(dataset.name, name)}"
    try:
        described = _described(folder / "map.json")
        again = f"Make it again: {command(dataset.name, described.vectors, described.dense)}"
        points = load_array(folder / "points.npy")
        clusters = load_array(folder / "clusters.npy")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError) as error:
        raise MapError(f"The map {name} of {dataset.name} is broken ({error}). {again}") from error
    if why := _stale(dataset, described):
        raise MapError(f"The map {name} of {dataset.name} {why}. {again}")
    if (points.shape, points.dtype) != ((dataset.rows, 2), np.float32) or (
        clusters.shape,
        clusters.dtype,
    ) != ((dataset.rows,), np.int32):
        raise MapError(
            f"The map {name} of {dataset.name} holds {points.shape} {points.dtype} points; "
            f"({dataset.rows}, 2) float32 expected. {again}"
        )
    return Map(name, described, points, clusters, folder)


def rows_inside(dataset: DatasetInfo, name: str, area: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """(n,) by row_id: which products are in an area of a map; those not on the map are not.

    Raises:
        UsageError, MapError: see `read_map`.
    """
    return inside(read_map(dataset, name).points, area)


def version(dataset: DatasetInfo, name: str) -> str:
    """A key that changes when a map is recomputed, for caches; empty if there is no map."""
    try:
        status = (folder_of(dataset, name) / "map.json").stat()
    except (OSError, UsageError):
        return ""
    return f"{status.st_ino}-{status.st_mtime_ns}"


def vectors_digest(dataset: DatasetInfo, name: str) -> str | None:
    """A digest of the metadata of a set of vectors; None if there is none."""
    try:
        described = (dataset.folder / "embeddings" / name / "encoder.json").read_bytes()
    except OSError:
        return None
    return hashlib.blake2b(described, digest_size=8).hexdigest()


def command(dataset: str, name: str, dense: bool | None = None) -> str:
    """The command that makes a map: of its vectors' name, or, where `dense` is None, of its own."""
    vectors = name
    if dense is None:
        dense, vectors = name.endswith(DENSE), name.removesuffix(DENSE)
    return f"vitrine map {dataset} --encoder {vectors}{' --dense' if dense else ''}"


def _stale(dataset: DatasetInfo, described: MapDescription) -> str | None:
    """Why a map is outdated, or empty. A map without its vectors is not outdated."""
    if described.fingerprint != dataset.fingerprint or described.rows != dataset.rows:
        return (
            f"is of an earlier version of the dataset (fingerprint {described.fingerprint}, "
            f"now {dataset.fingerprint})"
        )
    if vectors_digest(dataset, described.vectors) not in (None, described.vectors_digest):
        return f"is older than its vectors {described.vectors} (it was made from those of {described.vectors_created})"
    return None


def _described(path: Path) -> MapDescription:
    read = json.loads(path.read_text(encoding="utf-8"))
    known = {entry.name for entry in fields(MapDescription)}
    wanted = {key: value for key, value in read.items() if key in known}
    wanted["quality"] = {key: Quality(**value) for key, value in read["quality"].items()}
    wanted["regions"] = [Region(**value) for value in read["regions"]]
    return MapDescription(**wanted)


def in_progress(dataset: DatasetInfo) -> str | None:
    """The process that is making a map of the dataset, or None."""
    return holder(dataset.folder / "maps" / ".lock")
