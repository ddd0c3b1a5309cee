"""A cache of decoded pictures in a memory-mapped array, filled by worker processes before training.

One array per dataset and size, `pixels/<height>x<width>/` in the dataset's folder, shared by all readers of that size.
Decoding can be interrupted; a later run decodes only the missing pictures.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.catalog.info import DatasetInfo
from core.errors import ImageError, StorageError
from core.images.pictures import Pictures, decode
from core.progress import Progress, no_progress
from core.storage import reserve, storage_errors

UNSEEN, DECODED, BROKEN = 0, 1, 2
CHUNK = 256  # pictures per task of a worker
LARGEST_BYTES = 64 * 2**30  # of one array


def resized(image: Image.Image, height_px: int, width_px: int) -> NDArray[np.uint8]:
    """(height, width, 3): resized without preserving the aspect ratio, as in GLAMI."""
    small = image.resize((width_px, height_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, np.uint8)


class PixelCache:
    """The pictures of one dataset at one size; row i is the i-th image_id of `pictures.parquet`'s order."""

    def __init__(self, dataset: DatasetInfo, height_px: int, width_px: int) -> None:
        """
        Raises:
            StorageError: the folder cannot be written, or the array would not fit on the disk.
        """
        self.dataset = dataset
        self.folder = array_folder(dataset, height_px, width_px)
        ids = picture_ids(dataset)
        self.row_of = {image_id: row for row, image_id in enumerate(ids)}
        self._ids = ids
        shape = (len(ids), height_px, width_px, 3)
        with storage_errors(self.folder):
            self._open(shape)

    def _open(self, shape: tuple[int, ...]) -> None:
        stamp = {"fingerprint": self.dataset.fingerprint, "shape": list(shape)}
        described = self.folder / "pixels.json"
        if not described.exists() or json.loads(described.read_text()) != stamp:
            size = int(np.prod(shape, dtype=np.int64))
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
            if size > min(LARGEST_BYTES, free):
                raise StorageError(
                    f"The decoded pictures of {self.dataset.name} at {shape[1]} x {shape[2]} take {size >> 30} GB; "
                    f"{min(LARGEST_BYTES, free) >> 30} GB may be used. Train on fewer products or smaller pictures."
                )
            described.unlink(missing_ok=True)
            _sparse(self.folder / "pixels.bin", size)
            _sparse(self.folder / "state.bin", shape[0])
            temporary = described.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(stamp))
            temporary.replace(described)
        if not shape[0]:  # an empty file cannot be memory-mapped
            self.pixels: NDArray[np.uint8] = np.zeros(shape, np.uint8)
            self.state: NDArray[np.uint8] = np.zeros(0, np.uint8)
            return
        self.pixels = np.memmap(self.folder / "pixels.bin", np.uint8, "r+", shape=shape)
        self.state = np.memmap(self.folder / "state.bin", np.uint8, "r+", shape=(shape[0],))

    def fill(
        self, image_ids: Sequence[str], workers: int | None = None, progress: Progress = no_progress
    ) -> dict[str, int]:
        """Decode the pictures that are missing, in `workers` processes.

        Returns:
            The numbers of pictures in all, decoded now, and unreadable (their rows are zero).
        """
        rows = np.unique([self.row_of[image_id] for image_id in image_ids if image_id in self.row_of])
        missing = rows[self.state[rows] == UNSEEN] if len(rows) else rows
        with storage_errors(self.folder):
            self._reserve(missing)
        chunks = [missing[at : at + CHUNK] for at in range(0, len(missing), CHUNK)]
        workers = min(workers or len(os.sched_getaffinity(0)), len(chunks))
        done = 0
        if workers > 1:
            with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
                waiting: set[Future[int]] = {pool.submit(_decode_chunk, self._job(chunk)) for chunk in chunks}
                while waiting:
                    finished, waiting = wait(waiting, return_when="FIRST_COMPLETED")
                    done += sum(future.result() for future in finished)
                    progress(done, len(missing), "Decoding pictures")
        else:
            for chunk in chunks:
                done += _decode_chunk(self._job(chunk))
                progress(done, len(missing), "Decoding pictures")
        broken = int((self.state[rows] == BROKEN).sum()) if len(rows) else 0
        return {"pictures": len(rows), "decoded": len(missing), "broken": broken}

    def _reserve(self, rows: NDArray[np.int64]) -> None:
        """Allocate disk space for these rows of the sparse file."""
        size = int(np.prod(self.pixels.shape[1:], dtype=np.int64))
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []:
            reserve(self.folder / "pixels.bin", int(run[0]) * size, len(run) * size)
        if len(rows):
            reserve(self.folder / "state.bin")

    def _job(self, rows: NDArray[np.int64]) -> _Job:
        return _Job(self.dataset, str(self.folder), self.pixels.shape, rows, [self._ids[row] for row in rows])

    def rows(self, image_ids: Sequence[str | None]) -> NDArray[np.int64]:
        """(n,) row of each picture; -1 if missing or unreadable."""
        found = np.array([self.row_of.get(image_id or "", -1) for image_id in image_ids], np.int64)
        if len(self.state):
            found[self.state[found] != DECODED] = -1
        return found

    def batch(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, height, width, 3) pixels; zeros for row -1."""
        pixels = np.zeros((len(rows), *self.pixels.shape[1:]), np.uint8)
        have = rows >= 0
        pixels[have] = self.pixels[rows[have]]
        return pixels


class _Job:
    """A task of a worker: some rows to decode."""

    def __init__(
        self,
        dataset: DatasetInfo,
        folder: str,
        shape: tuple[int, ...],
        rows: NDArray[np.int64],
        image_ids: list[str],
    ) -> None:
        self.dataset, self.folder, self.shape, self.rows, self.image_ids = (
            dataset,
            folder,
            shape,
            rows,
            image_ids,
        )


def picture_ids(dataset: DatasetInfo) -> list[str]:
    """Every picture's image_id, in the order of `pictures.parquet`."""
    import pyarrow.parquet as pq

    table = pq.read_table(dataset.folder / "pictures.parquet", columns=["image_id"])
    found: list[str] = table.column(0).to_pylist()
    return found


def array_folder(dataset: DatasetInfo, height_px: int, width_px: int) -> Path:
    return dataset.folder / "pixels" / f"{height_px}x{width_px}"


def fits(dataset: DatasetInfo, height_px: int, width_px: int) -> bool:
    """Whether an array of all pictures at this size exists or may be written."""
    if (array_folder(dataset, height_px, width_px) / "pixels.json").exists():
        return True
    size = len(picture_ids(dataset)) * height_px * width_px * 3
    return size <= min(LARGEST_BYTES, shutil.disk_usage(dataset.folder).free)


_PICTURES: dict[tuple[str, str], Pictures] = {}  # cache of a worker process


def decode_pictures(
    dataset: DatasetInfo, image_ids: Sequence[str], height_px: int, width_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """(n, height, width, 3) pixels, zeros for unreadable pictures, and (n,) whether each is readable."""
    pictures = _PICTURES.setdefault((str(dataset.folder), dataset.fingerprint), Pictures(dataset))
    places = pictures.places(list(image_ids))
    pixels = np.zeros((len(image_ids), height_px, width_px, 3), np.uint8)
    opened = np.zeros(len(image_ids), np.bool_)
    for position, image_id in enumerate(image_ids):
        try:
            image = decode(pictures.read_at(places[image_id]), width_px)
            pixels[position] = resized(image, height_px, width_px)
            opened[position] = True
        except (ImageError, KeyError):
            continue
    return pixels, opened


def _decode_chunk(job: _Job) -> int:
    pixels = np.memmap(Path(job.folder) / "pixels.bin", np.uint8, "r+", shape=job.shape)
    state = np.memmap(Path(job.folder) / "state.bin", np.uint8, "r+", shape=(job.shape[0],))
    made, opened = decode_pictures(job.dataset, job.image_ids, *job.shape[1:3])
    pixels[job.rows[opened]] = made[opened]
    state[job.rows] = np.where(opened, DECODED, BROKEN)
    pixels.flush()  # a row is marked after its pixels are written; the system preserves the order of one process
    return len(job.rows)


def _sparse(path: Path, size: int) -> None:
    """Create a sparse file of zeros."""
    with path.open("wb") as file:
        file.truncate(size)
