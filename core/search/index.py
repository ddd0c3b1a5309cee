"""Nearest neighbours among a dataset's vectors: exact over the mapped float16 file, approximate beyond that.

Exact search is FAISS's scan of 16-bit codes, laid over the mapped `vectors.npy` itself: nothing is copied,
the system keeps in memory what it can and reads the rest again, so that memory cannot run out. Where a GPU
is there, the same scan is a matrix product on it. The approximate index is FAISS's inverted file over the
same 16-bit codes; it is built on purpose and says what its recall was.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.store import EmbeddingSet
from core.errors import EmbeddingError, UsageError
from core.progress import Progress, no_progress
from core.storage import storage_errors

MAX_K = 10_000
EXACT_BYTES = 1_400_000_000  # of vectors: 1.1M x 512 takes 80 ms; beyond it an approximate index is offered
FEW = 4_096  # rows that are gathered and multiplied rather than scanned
# Of recall@10 on the queries that choose how many lists are read: higher than the 0.99 that is promised,
# since queries that lie farther from the dataset's own vectors find less.
RECALL_WANTED, RECALL_QUERIES = 0.998, 400
TRAINED_ON = 64  # vectors a list that the approximate index learns its lists from
ROUNDING = 1e-5  # scores of vectors of length 1 that differ by less are equal
BLOCK = 65_536  # rows that are read at a time


@dataclass(frozen=True)
class Nearest:
    """What a search found, best first; fewer than k where there are fewer."""

    rows: NDArray[np.int64]  # (m,) row_ids
    scores: NDArray[np.float32]  # (m,) inner products with the query
    exact: bool


@dataclass(frozen=True)
class Approximate:
    """The metadata of the approximate index, from ivf.json."""

    created: str  # of the vectors it was built from
    lists: int
    probes: int  # lists that are probed
    recall_at_10: (
        float  # share of the ten that score as high as the exact ten, on queries near the own products
    )
    milliseconds: float  # p95 of one query on the machine that built it


class Index:
    """Nearest-neighbour search in one set of vectors. Thread-safe."""

    def __init__(self, found: EmbeddingSet) -> None:
        self.set = found
        self.n, self.d = found.vectors.shape
        self.approximate = _described(found)
        self._all_present = bool(found.present.all())
        self._workers = max(1, len(os.sched_getaffinity(0)))
        bounds = np.linspace(0, self.n, self._workers + 1).astype(int)
        self._parts = [
            (int(start), _over(found.vectors, int(start), int(end)))
            for start, end in pairwise(bounds)
            if end > start
        ]
        self._pool = ThreadPoolExecutor(self._workers)
        self._ivf: Any = None

    def search(
        self,
        query: NDArray[np.floating],
        k: int = 100,
        mask: NDArray[np.bool_] | None = None,
        approximate: bool | None = None,
    ) -> Nearest:
        """The k nearest neighbours by inner product; rows without a vector are never among them.

        Args:
            query: (d,), finite.
            mask: (n,) true where a row may be found; a search with one is always exact.
            approximate: None uses the approximate index where there is one and no mask.

        Raises:
            UsageError: the query is of another width or not finite, or k out of range.
        """
        wide = np.ascontiguousarray(query, np.float32)
        if wide.shape != (self.d,) or not np.isfinite(wide).all():
            raise UsageError(f"The query is {wide.shape}; ({self.d},) finite numbers expected.")
        if not 1 <= k <= MAX_K:
            raise UsageError(f"k is {k}; expected 1 to {MAX_K:,}.")
        if mask is not None and mask.shape != (self.n,):
            raise ValueError(f"mask is {mask.shape}, expected ({self.n},)")
        allowed = mask
        if not self._all_present:
            allowed = self.set.present if mask is None else mask & self.set.present
        if self.n <= FEW or (allowed is not None and np.count_nonzero(allowed) <= FEW):
            rows = np.arange(self.n) if allowed is None else np.flatnonzero(allowed)
            return self._gathered(wide, k, rows)
        if approximate is None:
            approximate = mask is None and self.approximate is not None
        if approximate and self.approximate is not None:
            return self._probed(wide, k, allowed)
        scan = self._on_gpu if _gpu() else self._scanned
        return _ordered(*scan(wide, min(k, self.n), allowed), k, exact=True)

    def scores(self, query: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m,) inner products of these rows with a query."""
        return np.asarray(self.set.vectors[rows], np.float32) @ np.asarray(query, np.float32)

    def spread(self, query: NDArray[np.floating], sample: int = 10_000) -> tuple[float, float]:
        """Mean and standard deviation of a query's scores over the set, to make different queries comparable.

        Taken from up to `sample` rows evenly over the set, so that it is the same each time.
        """
        there = np.flatnonzero(self.set.present)
        if not len(there):
            return 0.0, 1.0
        rows = there[np.linspace(0, len(there) - 1, min(sample, len(there))).astype(np.int64)]
        scores = self.scores(query, rows)
        return float(scores.mean()), float(max(scores.std(), 1e-6))

    def _gathered(self, query: NDArray[np.float32], k: int, rows: NDArray[np.int64]) -> Nearest:
        return _ordered(rows.astype(np.int64), self.scores(query, rows), k, exact=True)

    def _scanned(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Each thread scans a part and gives `k` results."""

        def one(part: tuple[int, Any]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            start, index = part
            scores, rows = index.search(query[None], k, params=_only(allowed, start, index.ntotal))
            there = rows[0] >= 0
            return rows[0][there] + start, scores[0][there]

        found = list(self._pool.map(one, self._parts))
        return np.concatenate([rows for rows, _ in found]), np.concatenate([scores for _, scores in found])

    def _on_gpu(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        return scanned_by_torch(self.set.vectors, query, k, allowed, "cuda")

    def _probed(self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None) -> Nearest:
        faiss = _faiss()
        assert self.approximate is not None
        if self._ivf is None:
            self._ivf = faiss.read_index(str(self.set.folder / "ivf.faiss"), faiss.IO_FLAG_MMAP_IFC)
            self._ivf.parallel_mode = 0
        options = faiss.SearchParametersIVF()
        options.nprobe = self.approximate.probes
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            options.sel = faiss.IDSelectorBitmap(bits)  # `bits` lives until the search is over
        scores, rows = self._ivf.search(query[None], k, params=options)
        there = rows[0] >= 0
        return _ordered(rows[0][there], scores[0][there], k, exact=False)


def _ordered(rows: NDArray[np.int64], scores: NDArray[np.float32], k: int, exact: bool) -> Nearest:
    """Best first; of equals the lower row first."""
    if len(rows) > 4 * k:
        kept = np.argpartition(-scores, k - 1)[:k]
        kept = np.flatnonzero(scores >= scores[kept].min())
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return Nearest(rows[order].astype(np.int64), scores[order].astype(np.float32), exact)


def scanned_by_torch(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    k: int,
    allowed: NDArray[np.bool_] | None,
    device: str,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The same scan as matrix products on a device, block by block."""
    import torch

    asked = torch.from_numpy(query).to(device)
    best_rows, best_scores = [], []
    step = BLOCK * 8
    for start in range(0, len(vectors), step):
        block = _resident(vectors, start, min(start + step, len(vectors)), device)
        scores = (block.float() @ asked).float()
        if allowed is not None:
            outside = torch.from_numpy(~allowed[start : start + len(block)]).to(device)
            scores = scores.masked_fill(outside, -torch.inf)
        top = scores.topk(min(k, len(scores)))
        best_rows.append((top.indices + start).cpu().numpy())
        best_scores.append(top.values.cpu().numpy())
    rows, found = np.concatenate(best_rows), np.concatenate(best_scores)
    there = np.isfinite(found)
    return rows[there], found[there]


_BLOCKS: dict[tuple[int, int, str], Any] = {}


def _resident(vectors: NDArray[np.float16], start: int, end: int, device: str) -> Any:
    """A block on the device; it stays there while there is memory."""
    import torch

    key = (vectors.ctypes.data, start, device)
    if key not in _BLOCKS:
        block = torch.from_numpy(np.array(vectors[start:end])).to(device)
        if device == "cuda" and torch.cuda.mem_get_info()[0] < 2 * 2**30:
            return block
        if device != "cuda":
            return block
        _BLOCKS[key] = block
    return _BLOCKS[key]


def _gpu() -> bool:
    """Whether there is a GPU. Only if torch is loaded already: a search does not import it."""
    torch = sys.modules.get("torch")
    return bool(torch is not None and torch.cuda.is_available())


def _faiss() -> Any:
    """FAISS, loaded when it is first needed; its type stubs describe C++, not what Python may give it."""
    import faiss

    return faiss


@cache
def _owner() -> Any:
    """An owner for a view's memory, which FAISS needs: the mapping of an index of one vector."""
    faiss = _faiss()
    index = faiss.IndexScalarQuantizer(1, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add(np.zeros((1, 1), np.float32))
    folder = tempfile.mkdtemp(prefix="vitrine-")
    try:
        faiss.write_index(index, f"{folder}/one.faiss")
        return faiss.read_index(f"{folder}/one.faiss", faiss.IO_FLAG_MMAP_IFC)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # what is mapped stays


def _over(vectors: NDArray[np.float16], start: int, end: int) -> Any:
    """A FAISS index over rows start..end of a mapped array, without a copy."""
    faiss = _faiss()
    if not vectors.flags.c_contiguous or vectors.dtype != np.dtype("<f2"):
        raise EmbeddingError("The vectors are not little-endian float16, row by row. Import them again.")
    n, d = end - start, vectors.shape[1]
    index = faiss.IndexScalarQuantizer(d, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    pointer = faiss.cast_integer_to_void_ptr(vectors.ctypes.data + start * d * 2)
    index.codes = faiss.MaybeOwnedVectorUInt8.create_view(pointer, n * d * 2, _owner().codes.owner)
    index.ntotal = n
    return index


def _only(allowed: NDArray[np.bool_] | None, start: int, n: int) -> Any:
    """FAISS search parameters for the allowed rows of one part."""
    faiss = _faiss()
    if allowed is None:
        return None
    bits = np.packbits(allowed[start : start + n], bitorder="little")
    selector = faiss.IDSelectorBitmap(bits)
    selector.bits = bits  # it holds a bare pointer
    options = faiss.SearchParameters()
    options.sel = selector
    return options


def _described(found: EmbeddingSet) -> Approximate | None:
    try:
        described = Approximate(**json.loads((found.folder / "ivf.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return described if described.created == found.description.created else None


def wants_approximate(found: EmbeddingSet) -> bool:
    """Whether an exact scan would take more than 110 ms."""
    return found.vectors.size * 2 > EXACT_BYTES


def build_approximate(
    found: EmbeddingSet, lists: int | None = None, progress: Progress = no_progress
) -> Approximate:
    """Build the inverted file, tune the number of probed lists, and write both.

    Args:
        lists: about the square root of the rows otherwise, times two.

    Raises:
        UsageError: there are too few vectors.
        StorageError: the disk is full or cannot be written.
    """
    faiss = _faiss()
    d = found.vectors.shape[1]
    there = np.flatnonzero(found.present)
    if len(there) < 1_000:
        raise UsageError(f"{found.name} has {len(there):,} vectors: an exact search is fast enough.")
    lists = lists or int(min(2 * np.sqrt(len(there)), len(there) / 40))
    rng = np.random.default_rng(0)
    sample = np.sort(rng.choice(there, min(len(there), TRAINED_ON * lists), replace=False))
    quantizer = faiss.IndexFlatIP(d)
    ivf = faiss.IndexIVFScalarQuantizer(
        quantizer, d, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    progress(0, len(there), "Training the index")
    ivf.train(np.asarray(found.vectors[sample], np.float32))
    for start in range(0, len(there), BLOCK):
        rows = there[start : start + BLOCK]
        ivf.add_with_ids(np.asarray(found.vectors[rows], np.float32), rows)
        progress(min(start + BLOCK, len(there)), len(there), "Filling the index")
    probes, recall, milliseconds = _tuned(
        found, ivf, rng.choice(there, min(RECALL_QUERIES, len(there)), replace=False)
    )
    described = Approximate(
        found.description.created, lists, probes, round(recall, 4), round(milliseconds, 2)
    )
    with storage_errors(found.folder):
        aside = found.folder / f".ivf.{os.getpid()}"
        faiss.write_index(ivf, str(aside))
        (found.folder / "ivf.json").unlink(missing_ok=True)
        aside.replace(found.folder / "ivf.faiss")
        (found.folder / "ivf.json").write_text(json.dumps(asdict(described)) + "\n", encoding="utf-8")
    return described


def _tuned(found: EmbeddingSet, ivf: Any, near: NDArray[np.int64]) -> tuple[int, float, float]:
    """The fewest probed lists with a recall@10 by score of RECALL_WANTED, that recall, and the p95 latency in milliseconds.

    Queries are the dataset's own vectors with noise added, as a text's or another picture's would differ.
    """
    faiss = _faiss()
    rng = np.random.default_rng(1)
    own = np.asarray(found.vectors[near], np.float32)
    noise = rng.standard_normal(own.shape).astype(np.float32)
    queries = own + 0.5 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    exact = Index(found)
    truth = [exact.search(query, 10, approximate=False).scores for query in queries]
    probes, options = 1, faiss.SearchParametersIVF()
    while True:
        times, hits = [], 0
        for query, wanted in zip(queries, truth, strict=True):
            started = time.perf_counter()
            options.nprobe = probes
            scores, _ = ivf.search(query[None], 100, params=options)
            times.append(1e3 * (time.perf_counter() - started))
            # By score: of equal vectors, as products that share a picture have, any one is as good as another.
            hits += int((scores[0][: len(wanted)] >= wanted[-1] - ROUNDING).sum()) if len(wanted) else 0
        recall = hits / max(1, sum(map(len, truth)))
        if recall >= RECALL_WANTED or probes >= ivf.nlist:
            return probes, recall, float(np.percentile(times, 95))
        probes = min(ivf.nlist, max(probes + 1, int(probes * 1.4)))
