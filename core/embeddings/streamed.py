"""Decode pictures ahead of training, batch by batch, if an array of all pictures does not fit on the disk.

Same interface as PixelCache, and the same pixels: a streamed run equals a cached one bit for bit. Only the readability of
each picture is stored (one byte); to determine it, every picture is decoded once.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.embeddings.pixels import BROKEN, CHUNK, DECODED, UNSEEN, decode_pictures, picture_ids
from core.progress import Progress, no_progress
from core.storage import storage_errors

AHEAD = 2  # prefetched batches per worker
SHARE = 16  # pictures of a batch per task of a worker


class PictureStream:
    """The pictures of a dataset at one size, decoded on demand or prefetched."""

    def __init__(self, dataset: DatasetInfo, height_px: int, width_px: int) -> None:
        """
        Raises:
            StorageError: the folder cannot be written.
        """
        self.dataset, self.size = dataset, (height_px, width_px)
        self.folder = dataset.folder / "pixels" / f"{height_px}x{width_px}-seen"
        self._ids = picture_ids(dataset)
        self.row_of = {image_id: row for row, image_id in enumerate(self._ids)}
        self.workers = 1
        self._waiting: dict[bytes, list[Future[Decoded]]] = {}
        self._pool: ProcessPoolExecutor | None = None
        with storage_errors(self.folder):
            self.state = self._open_state()

    def _open_state(self) -> NDArray[np.uint8]:
        if not self._ids:  # an empty file cannot be memory-mapped
            return np.zeros(0, np.uint8)
        stamp = {"fingerprint": self.dataset.fingerprint, "pictures": len(self._ids)}
        described, path = self.folder / "seen.json", self.folder / "state.bin"
        if not described.exists() or json.loads(described.read_text()) != stamp:
            self.folder.mkdir(parents=True, exist_ok=True)
            described.unlink(missing_ok=True)
            path.write_bytes(bytes(len(self._ids)))
            temporary = described.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(stamp))
            temporary.replace(described)
        return np.memmap(path, np.uint8, "r+", shape=(len(self._ids),))

    def fill(
        self, image_ids: Sequence[str], workers: int | None = None, progress: Progress = no_progress
    ) -> dict[str, int]:
        """Determine which pictures are readable; earlier results are reused.

        Returns:
            The numbers of pictures in all, checked now, and unreadable.
        """
        wanted = workers or len(os.sched_getaffinity(0))
        self.workers = min(
            wanted, -(-len(self._ids) // CHUNK)
        )  # few pictures are not worth starting processes
        rows = np.unique([self.row_of[image_id] for image_id in image_ids if image_id in self.row_of])
        missing = rows[self.state[rows] == UNSEEN] if len(rows) else rows
        done = 0
        for at in range(0, len(missing), CHUNK * self.workers):
            part = missing[at : at + CHUNK * self.workers]
            self.state[part] = np.where(self._decoded(part)[1], DECODED, BROKEN)
            done += len(part)
            progress(done, len(missing), "Checking pictures")
        broken = int((self.state[rows] == BROKEN).sum()) if len(rows) else 0
        return {"pictures": len(rows), "decoded": len(missing), "broken": broken}

    def rows(self, image_ids: Sequence[str | None]) -> NDArray[np.int64]:
        """(n,) row of each picture; -1 if missing or unreadable."""
        found = np.array([self.row_of.get(image_id or "", -1) for image_id in image_ids], np.int64)
        if len(self.state):
            found[self.state[found] != DECODED] = -1
        return found

    def batch(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, height, width, 3) pixels; zeros for row -1."""
        pixels = np.zeros((len(rows), *self.size, 3), np.uint8)
        have = rows >= 0
        pixels[have] = self._decoded(rows[have])[0]
        return pixels

    def prefetch(self, rows: NDArray[np.int64]) -> None:
        """Start decoding a future batch; ignored if the workers' queue is full."""
        rows = rows[rows >= 0]
        key = rows.tobytes()
        if self.workers <= 1 or not len(rows) or key in self._waiting:
            return
        if len(self._waiting) < AHEAD * self.workers:
            self._waiting[key] = self._submit(rows)

    def close(self) -> None:
        """Stop the workers."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _decoded(self, rows: NDArray[np.int64]) -> Decoded:
        """(n, height, width, 3) pixels, zeros for unreadable pictures, and (n,) whether each is readable."""
        if not len(rows):
            return np.zeros((0, *self.size, 3), np.uint8), np.zeros(0, np.bool_)
        if self.workers <= 1:
            return decode_pictures(self.dataset, [self._ids[row] for row in rows], *self.size)
        jobs = self._waiting.pop(rows.tobytes(), None) or self._submit(rows)
        wait(jobs)
        parts = [job.result() for job in jobs]
        return np.concatenate([pixels for pixels, _ in parts]), np.concatenate([seen for _, seen in parts])

    def _submit(self, rows: NDArray[np.int64]) -> list[Future[Decoded]]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, get_context("spawn"))
            weakref.finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)
        parts = [rows[at : at + SHARE] for at in range(0, len(rows), SHARE)]
        return [
            self._pool.submit(decode_pictures, self.dataset, [self._ids[row] for row in part], *self.size)
            for part in parts
        ]


Decoded = tuple[NDArray[np.uint8], NDArray[np.bool_]]
