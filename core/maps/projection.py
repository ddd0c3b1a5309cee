"""Make a map: project the vectors of a dataset to the plane with UMAP.

Identical vectors are merged first; products that share a picture share a point. Up to `sample` distinct vectors are
all fitted. Beyond that a sample, stratified by category, is fitted, and the others are placed by their
nearest fitted neighbours. Neighbours are cached as they are found, so that a killed run continues.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.map_files import DENSE, Map, MapDescription, folder_of, maps, read_map, vectors_digest
from core.catalog.products import Products
from core.embeddings.store import EmbeddingSet, open_set
from core.errors import MapError, UsageError
from core.maps.quality import AMONG, measure_parts
from core.maps.regions import clusters, regions
from core.progress import Progress, no_progress
from core.search.neighbours import EXACT, different, graph, nearest, unit_rows
from core.storage import alone, replace_folder, storage_errors

__all__ = ["Map", "MapDescription", "maps", "project", "read_map"]

SAMPLE = 200_000  # distinct vectors up to which all are fitted
NEIGHBOURS, MIN_DIST = 15, 0.1  # UMAP's own defaults
FEWEST = 10  # with fewer distinct vectors, two principal components are the map
PLACED_BY = 5  # fitted neighbours that place a point


def project(
    dataset: DatasetInfo,
    vectors: str,
    dense: bool = False,
    progress: Progress = no_progress,
    sample: int = SAMPLE,
    neighbours: int = NEIGHBOURS,
    min_dist: float = MIN_DIST,
    seed: int = 0,
    again: bool = False,
) -> MapDescription:
    """Make the map of a set of vectors, unless there is one of the same vectors and parameters.

    Args:
        vectors: the name of the set.
        dense: use densMAP, which preserves local density.
        sample: distinct vectors to fit; the others are placed by their nearest fitted neighbours.
        neighbours, min_dist: UMAP's, the second in UMAP's own units.
        seed: the same one gives the same map, on the same machine.
        again: recompute an existing map.

    Raises:
        EmbeddingError: there are no such vectors, or they are outdated; the text says what to run.
        UsageError: a parameter is out of range.
        MapError: no product has a vector, or another process is making a map of this dataset.
        StorageError: the folder cannot be written, or the disk is full.
    """
    if not 2 <= neighbours <= 200:
        raise UsageError(f"neighbours is {neighbours}; expected 2 to 200.")
    if not 0 <= min_dist <= 1:
        raise UsageError(f"min_dist is {min_dist}; expected 0 to 1.")
    if sample < 1_000:
        raise UsageError(f"sample is {sample}; expected at least 1,000.")
    found = open_set(dataset, vectors)
    name = f"{vectors}{DENSE}" if dense else vectors
    target = folder_of(dataset, name)
    plan = {
        "fingerprint": dataset.fingerprint,
        "vectors_digest": vectors_digest(dataset, vectors),
        "dense": dense,
        "seed": seed,
        "parameters": {"neighbours": neighbours, "min_dist": min_dist, "sample": sample},
    }
    with storage_errors(target.parent), _alone(dataset):
        if not again and (there := _there(dataset, name, plan)):
            return there
        with _working(target.with_name(f".making-{name}"), plan) as folder:
            described = _Making(dataset, found, name, plan, folder, progress).run()
            _put(folder, target)
    return described


@dataclass
class _Steps:
    """Progress over steps of different cost, in thousandths of the whole, with the time left."""

    progress: Progress
    shares: dict[str, float]  # step -> what it is expected to take, in any one unit
    started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Any]:
        names = list(self.shares)
        whole = sum(self.shares.values())
        before = sum(self.shares[each] for each in names[: names.index(name)])
        began = time.monotonic()

        def tell(done: int, total: int) -> None:
            share = (before + self.shares[name] * done / max(1, total)) / whole
            passed = time.monotonic() - self.started
            left = passed / share - passed if share > 0.02 and passed > 3 else None
            self.progress(int(1_000 * share), 1_000, what + (f", about {_spoken(left)} left" if left else ""))

        tell(0, 1)
        yield tell
        self.seconds[name] = round(time.monotonic() - began, 2)


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class _Making:
    """One map in the making; costly results are cached in `folder`."""

    def __init__(
        self,
        dataset: DatasetInfo,
        found: EmbeddingSet,
        name: str,
        plan: dict[str, Any],
        folder: Path,
        progress: Progress,
    ) -> None:
        self.dataset, self.found, self.name, self.plan, self.folder = dataset, found, name, plan, folder
        self.parameters: dict[str, Any] = dict(plan["parameters"])
        self.products = Products(dataset)
        self.progress = progress

    def run(self) -> MapDescription:
        started = time.monotonic()
        self.progress(0, 0, "Reading vectors")
        rows, of_row = different(self.found.vectors, self.found.present)
        if not len(rows):
            raise MapError(
                f"No product of {self.dataset.name} has a vector in {self.found.name}: there is nothing to project."
            )
        fitted = self._stratified(rows, int(self.parameters["sample"]))
        m, others, d = len(fitted), len(rows) - len(fitted), self.found.vectors.shape[1]
        steps = _Steps(
            self.progress,
            {
                "neighbours": m * min(m, EXACT) * d * 3e-11 + 0.1,
                "layout": m * self._epochs(m) * 1.5e-5 * (2 if self.plan["dense"] else 1) + 5,
                "placing": others * min(m, EXACT) * d * 3e-11,
                "regions": 5 + m * 2e-5,
                "quality": 1 + min(AMONG, len(rows)) * d * 2e-7,
            },
        )
        own = unit_rows(self.found.vectors, rows[fitted])
        method, laid = self._laid_out(own, steps)
        centre = (laid.max(axis=0) + laid.min(axis=0)) / 2
        scale = float(np.abs(laid - centre).max()) or 1.0
        points = np.empty((len(rows), 2), np.float32)
        points[fitted] = (laid - centre) / scale
        with steps.step("placing", "Placing the other vectors") as tell:
            rest = np.setdiff1d(np.arange(len(rows)), fitted)
            self._place(own, points, fitted, rest, rows, tell)
        del own
        with steps.step("regions", "Finding regions"):
            crowd = clusters(points, self.plan["seed"])
            everywhere = np.full((len(of_row), 2), np.nan, np.float32)
            member = np.full(len(of_row), -1, np.int32)
            there = of_row >= 0
            everywhere[there], member[there] = points[of_row[there]], crowd[of_row[there]]
            told = regions(self.products, everywhere, member, self.plan["seed"])
        with steps.step("quality", "Measuring"):
            quality = self._quality(rows, points, fitted)
        np.save(self.folder / "points.npy", everywhere)
        np.save(self.folder / "clusters.npy", member)
        described = MapDescription(
            name=self.name,
            vectors=self.found.name,
            encoder=self.found.description.encoder,
            tower=self.found.description.tower,
            dense=bool(self.plan["dense"]),
            method=method,
            fingerprint=self.dataset.fingerprint,
            vectors_created=self.found.description.created,
            vectors_digest=str(self.plan["vectors_digest"]),
            rows=self.dataset.rows,
            present=int(np.count_nonzero(there)),
            different=len(rows),
            fitted=m,
            seed=int(self.plan["seed"]),
            parameters=self.parameters,
            quality=quality,
            regions=told,
            seconds={**steps.seconds, "all": round(time.monotonic() - started, 2)},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        text = json.dumps(asdict(described), ensure_ascii=False, indent=1)
        (self.folder / "map.json").write_text(text + "\n", encoding="utf-8")
        return described

    @staticmethod
    def _epochs(m: int) -> int:
        return 500 if m <= 10_000 else 200  # UMAP's own

    def _stratified(self, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        """Positions of the vectors to fit: the same share of each category, at least one."""
        if len(rows) <= most:
            return np.arange(len(rows))
        rng = np.random.default_rng(self.plan["seed"])
        codes = self.products.columns.category.codes[rows]
        order = rng.permutation(len(rows))
        order = order[np.argsort(codes[order], kind="stable")]
        counts = np.bincount(codes)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)  # within its category
        share = place / np.repeat(counts, counts)  # the first of each category is 0
        return np.sort(order[np.argsort(share, kind="stable")[:most]])

    def _laid_out(self, own: NDArray[np.float32], steps: _Steps) -> tuple[str, NDArray[np.float32]]:
        """How the fitted vectors were laid out, and where: (m, 2)."""
        if len(own) < FEWEST:
            return "pca", _principal(own)
        kept = self.folder / "laid.npy"
        k = min(int(self.parameters["neighbours"]), len(own) - 1)
        with steps.step("neighbours", "Finding neighbours") as tell:
            near, similarity = graph(own, k, self.folder, tell)
        with steps.step("layout", "Projecting") as tell:
            if kept.exists():
                return "umap", np.asarray(np.load(kept))
            laid = umap(
                own, near, similarity, float(self.parameters["min_dist"]), bool(self.plan["dense"]),
                int(self.plan["seed"]), tell,
            )  # fmt: skip
            aside = self.folder / "laid.aside.npy"
            np.save(aside, laid)
            aside.replace(kept)
        return "umap", laid

    def _place(
        self,
        own: NDArray[np.float32],
        points: NDArray[np.float32],
        fitted: NDArray[np.int64],
        rest: NDArray[np.int64],
        rows: NDArray[np.int64],
        tell: Any,
    ) -> None:
        if not len(rest):
            return
        index = nearest(own)
        laid = points[fitted]
        for start in range(0, len(rest), 4_096):
            some = rest[start : start + 4_096]
            scores, near = index.search(unit_rows(self.found.vectors, rows[some]), min(PLACED_BY, len(own)))
            points[some] = place(laid, near, scores)
            tell(start + len(some), len(rest))

    def _quality(
        self, rows: NDArray[np.int64], points: NDArray[np.float32], fitted: NDArray[np.int64]
    ) -> dict[str, Any]:
        is_fitted = np.zeros(len(rows), bool)
        is_fitted[fitted] = True
        seen = np.arange(len(rows))
        if len(rows) > AMONG:
            seen = np.sort(np.random.default_rng(self.plan["seed"]).choice(len(rows), AMONG, replace=False))
        vectors = unit_rows(self.found.vectors, rows[seen])
        return measure_parts(vectors, points[seen], is_fitted[seen], int(self.plan["seed"]))


def umap(
    vectors: NDArray[np.float32],
    near: NDArray[np.int32],
    similarity: NDArray[np.float32],
    min_dist: float,
    dense: bool,
    seed: int,
    tell: Any,
) -> NDArray[np.float32]:
    """(m, 2) UMAP of vectors with precomputed neighbours.

    Initialised with the principal components, which is faster than spectral and preserves global structure.

    Source: McInnes, Healy and Melville 2018, arXiv:1802.03426; densMAP: Narayan, Berger and Cho 2021; the start:
    Kobak and Linderman 2021.
    """
    import warnings

    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one thread is used with a seed; that it cannot transform
        model = UMAP(
            n_neighbors=near.shape[1], min_dist=min_dist, metric="cosine", init=_start(vectors, seed),
            densmap=dense, random_state=seed, n_jobs=1,
            precomputed_knn=(near, np.maximum(0, 1 - similarity)),
            tqdm_kwds={"disable": False, "file": _Watched(tell), "bar_format": "{n}/{total}", "mininterval": 0.5},
        )  # fmt: skip
        laid = np.asarray(model.fit_transform(vectors), np.float32)
    # UMAP drops a vector that is the opposite of all its neighbours: it is placed at the centre.
    return np.where(np.isfinite(laid), laid, np.nanmean(laid, axis=0)).astype(np.float32)


class _Watched:
    """A stream for UMAP's progress bar, which forwards its numbers."""

    def __init__(self, tell: Any) -> None:
        self._tell = tell

    def write(self, text: str) -> int:
        if found := re.search(r"(\d+)/(\d+)", text):
            self._tell(int(found[1]), int(found[2]))
        return len(text)

    def flush(self) -> None: ...


def _principal(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, 2) the first two principal components; zeros if there are none."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:20_000], full_matrices=False)
    found = np.zeros((len(vectors), 2), np.float32)
    found[:, : min(2, len(axes))] = centred @ axes[:2].T
    return found


def _start(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """UMAP's initialisation: principal components scaled to 10, as its own, with a little noise."""
    found = _principal(vectors)
    noise = np.random.default_rng(seed).normal(scale=1e-4, size=found.shape)
    return (10 * found / (np.abs(found).max() or 1.0) + noise).astype(np.float32)


def place(
    laid: NDArray[np.float32], near: NDArray[np.int64], similarity: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(q, 2) points at the weighted mean of their nearest fitted neighbours.

    Args:
        laid: (m, 2); near: (q, k) positions in it, -1 for none; similarity: (q, k).
    """
    there = near >= 0
    distance = np.where(there, 1 - similarity, np.inf)
    least = distance.min(axis=1, keepdims=True)
    span = np.where(there, distance - least, 0).max(axis=1, keepdims=True) + 1e-6
    weight = np.where(there, np.exp(-3 * np.minimum(distance - least, 9e9) / span), 0)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray((laid[near] * weight[:, :, None]).sum(axis=1), np.float32)


@contextmanager
def _alone(dataset: DatasetInfo) -> Iterator[None]:
    """Allow one process per dataset."""
    if not dataset.folder.exists():
        raise MapError(f"{dataset.name} was removed.")

    def busy(who: str) -> MapError:
        return MapError(
            f"A map of {dataset.name} is being made already, by {who}. "
            "Wait until it is done, or stop it; a later run continues it."
        )

    with alone(dataset.folder / "maps" / ".lock", busy):
        yield


@contextmanager
def _working(folder: Path, plan: dict[str, Any]) -> Iterator[Path]:
    """The working folder of a killed run with the same parameters, or a new one. It stays if the block fails."""
    try:
        same = json.loads((folder / "plan.json").read_text(encoding="utf-8")) == plan
    except (OSError, ValueError):
        same = False
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    yield folder


def _there(dataset: DatasetInfo, name: str, plan: dict[str, Any]) -> MapDescription | None:
    """The existing map of the same vectors and parameters, or None."""
    try:
        have = read_map(dataset, name).description
    except MapError:
        return None
    wanted = (plan["dense"], plan["seed"], plan["parameters"])
    return have if (have.dense, have.seed, have.parameters) == wanted else None


def _put(folder: Path, target: Path) -> None:
    """Replace the map by a complete new one."""
    for name in ("plan.json", "neighbours.npy", "similarities.npy", "done.npy", "laid.npy", "laid.aside.npy"):
        (folder / name).unlink(missing_ok=True)
    replace_folder(folder, target)
