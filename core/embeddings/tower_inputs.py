"""What an encoder's training reads of pictures, computed once and mapped from disk: pixels as the encoder takes them, or,
of a picture tower that is not trained, the vectors that it gives.

In `pixels/` and `features/` of the dataset's folder, an array each, named by a digest of the preprocessing or of the
weights: row i is the i-th picture of `pictures.parquet`. What is missing is computed; an interrupted run loses a chunk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.embeddings.chunks import decoded_chunks, picture_work
from core.embeddings.clip import Encoder, Preprocessing
from core.embeddings.pixels import BROKEN, DECODED, LARGEST_BYTES, UNSEEN, picture_ids
from core.errors import StorageError
from core.progress import Progress, no_progress
from core.storage import reserve, storage_errors

Made = tuple[NDArray[Any], NDArray[np.bool_]]


class PictureArray:
    """One array a dataset, a row a picture."""

    def __init__(
        self, info: DatasetInfo, folder: Path, shape: tuple[int, ...], kind: type[np.generic]
    ) -> None:
        """
        Args:
            shape: of one picture's row.

        Raises:
            StorageError: the folder cannot be written, or the array would not fit on the disk.
        """
        self.info, self.folder = info, folder
        self._ids = picture_ids(info)
        self.row_of = {image_id: row for row, image_id in enumerate(self._ids)}
        self._whole, self._kind = (len(self._ids), *shape), np.dtype(kind)
        with storage_errors(folder):
            self._open()

    def _open(self) -> None:
        stamp = {"fingerprint": self.info.fingerprint, "shape": list(self._whole), "kind": str(self._kind)}
        described = self.folder / "array.json"
        if not described.exists() or json.loads(described.read_text()) != stamp:
            size = int(np.prod(self._whole, dtype=np.int64)) * self._kind.itemsize
            self.folder.mkdir(parents=True, exist_ok=True)
            room = min(LARGEST_BYTES, shutil.disk_usage(self.folder).free)
            if size > room:
                raise StorageError(
                    f"What is read of the pictures of {self.info.name} takes {size >> 30} GB; {room >> 30} GB may be used."
                )
            described.unlink(missing_ok=True)
            for name, length in (("rows.bin", size), ("state.bin", self._whole[0])):
                with (self.folder / name).open("wb") as file:
                    file.truncate(length)
            reserve(self.folder / "rows.bin")
            temporary = described.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(stamp))
            temporary.replace(described)
        if not self._whole[0]:  # an empty file cannot be mapped
            self.rows, self.state = np.zeros(self._whole, self._kind), np.zeros(0, np.uint8)
            return
        self.rows = np.memmap(self.folder / "rows.bin", self._kind, "r+", shape=self._whole)
        self.state = np.memmap(self.folder / "state.bin", np.uint8, "r+", shape=self._whole[:1])

    def fill(
        self,
        image_ids: Sequence[str | None],
        make: Callable[[list[str]], Iterator[tuple[NDArray[np.int64], Made]]],
        progress: Progress = no_progress,
    ) -> NDArray[np.int64]:
        """Compute what is missing of these pictures.

        Args:
            make: ids to parts of them: positions, then rows of those that could be opened, and which these are.

        Returns:
            (n,) the row of each; -1 where there is no picture or it cannot be opened.
        """
        rows = np.array([self.row_of.get(image_id or "", -1) for image_id in image_ids], np.int64)
        wanted = np.unique(rows[rows >= 0])
        missing = wanted[self.state[wanted] == UNSEEN] if len(wanted) else wanted
        done = 0
        for positions, (made, opened) in make([self._ids[row] for row in missing]):
            there = missing[positions]
            self.rows[there[opened]] = made
            self.state[there] = np.where(opened, DECODED, BROKEN)
            done += len(positions)
            progress(done, len(missing), "Reading pictures")
        return np.where((rows >= 0) & (self.state[rows] == DECODED), rows, -1) if len(self.state) else rows


def picture_pixels(
    info: DatasetInfo,
    preprocessing: Preprocessing,
    image_ids: Sequence[str | None],
    workers: int | None = None,
    progress: Progress = no_progress,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(pictures, height, width, 3) pixels as the encoder's own preprocessing gives them, and (n,) rows in it, -1 where
    there is none."""
    digest = hashlib.sha256(json.dumps(asdict(preprocessing), sort_keys=True).encode()).hexdigest()[:12]
    shape = (preprocessing.height_px, preprocessing.width_px, 3)
    array = PictureArray(info, info.folder / "pixels" / f"encoder-{digest}", shape, np.uint8)
    rows = array.fill(image_ids, lambda ids: _decoded(info, preprocessing, ids, workers), progress)
    return array.rows, rows


def picture_vectors(
    info: DatasetInfo,
    coder: Encoder,
    image_ids: Sequence[str | None],
    workers: int | None = None,
    progress: Progress = no_progress,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(pictures, d) vectors of a tower that is not trained, in the precision that they are computed in and as long as it
    gives them, and (n,) rows in it, -1 where there is none."""

    def encoded(ids: list[str]) -> Iterator[tuple[NDArray[np.int64], Made]]:
        for positions, (pixels, opened) in _decoded(info, coder.preprocessing, ids, workers):
            yield positions, (coder.encode_pixels(pixels, raw=True), opened)

    folder = info.folder / "features" / f"encoder-{coder.weights}"
    array = PictureArray(info, folder, (coder.dimensions,), np.float32)
    rows = array.fill(image_ids, encoded, progress)
    return array.rows, rows


def _decoded(
    info: DatasetInfo, preprocessing: Preprocessing, ids: list[str], workers: int | None
) -> Iterator[tuple[NDArray[np.int64], Made]]:
    work = picture_work(ids, np.arange(len(ids)))
    for number, pixels, opened in decoded_chunks(
        info, preprocessing, work, list(range(work.chunks)), workers
    ):
        yield work.chunk(number).rows, (pixels, opened)
