"""Hash all pictures: the MD5 of the file, and two perceptual hashes of the picture and its mirror image.

`duplicates/hashes.parquet` beside the dataset holds one row a picture. It is made in worker processes, in parts that
survive a kill, and put in place when all parts are there; it carries the dataset's fingerprint.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.catalog.info import DatasetInfo
from core.errors import DuplicatesError, ImageError
from core.images.pictures import Pictures, decode
from core.progress import Progress, no_progress
from core.statistics.picture_stats import is_remote
from core.storage import storage_errors

PART = 1_000  # pictures per part; a kill loses at most one part
POOL_WORTH = 2 * PART  # least number of pictures worth starting worker processes
DECODED_PX = 64  # side that a picture is decoded at; both hashes shrink it further
BITS = 64  # of each hash
KEY = b"vitrine.fingerprint"

HASHES = pa.schema(
    [
        ("image_id", pa.string()),
        ("md5", pa.binary(16)),  # of the file's bytes; NULL where it cannot be read
        ("hash", pa.binary(16)),  # pHash, then dHash, 64 bits each; NULL where it cannot be decoded
        ("mirrored", pa.binary(16)),  # the same of the picture turned left to right
        ("problem", pa.string()),  # reason why there is none; else NULL
    ]
)


@dataclass(frozen=True)
class Hashes:
    """The hashes of a dataset's pictures."""

    table: pa.Table  # HASHES, one row a picture
    broken: int  # pictures that cannot be read or decoded


def folder_of(dataset: DatasetInfo) -> Path:
    return dataset.folder / "duplicates"


def hash_bits(image: Image.Image) -> bytes:
    """128-bit hash of a picture: pHash (low frequencies of luminance), then dHash (sign of the horizontal gradient).

    Source: Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"; the library imagehash.
    """
    import imagehash

    grey = image.convert("L")
    bits = np.concatenate([imagehash.phash(grey).hash.ravel(), imagehash.dhash(grey).hash.ravel()])
    return np.packbits(bits).tobytes()


def measure(dataset: DatasetInfo, progress: Progress = no_progress, workers: int | None = None) -> Hashes:
    """The hashes of all pictures; missing ones are computed. The caller holds the lock.

    Args:
        workers: processes; one a processor otherwise, and none for a small dataset.

    Raises:
        DuplicatesError: there is no picture, or the pictures are on the web.
        StorageError: the folder cannot be written.
    """
    path = folder_of(dataset) / "hashes.parquet"
    if stamp_of(path) == dataset.fingerprint:
        return _opened(path)
    ids = pq.read_table(dataset.folder / "pictures.parquet", columns=["image_id"]).column(0).to_pylist()
    if not ids:
        raise DuplicatesError(f"{dataset.name} has no pictures to compare. Compare its texts: --by text")
    if is_remote(dataset):
        raise DuplicatesError(
            f"The pictures of {dataset.name} are on the web; hashing would download all {len(ids):,}. "
            "Compare its texts or vectors: --by vectors,text"
        )
    parts = folder_of(dataset) / "hashes.parts"
    with storage_errors(dataset.folder):
        parts.mkdir(parents=True, exist_ok=True)
        files = [parts / f"{number:06d}.parquet" for number in range(-(-len(ids) // PART))]
        done = 0
        todo: list[tuple[DatasetInfo, Path, list[str]]] = []
        for number, file in enumerate(files):
            some = ids[number * PART : (number + 1) * PART]
            if stamp_of(file) == dataset.fingerprint:
                done += len(some)
            else:
                todo.append((dataset, file, some))
        workers = min(workers or len(os.sched_getaffinity(0)), len(todo))
        for count in _hashed(todo, workers if len(todo) * PART > POOL_WORTH else 1):
            done += count
            progress(done, len(ids), "Hashing pictures")
        write_stamped(path, pa.concat_tables([pq.read_table(file) for file in files]), dataset.fingerprint)
        for file in parts.glob("*"):
            file.unlink(missing_ok=True)
        parts.rmdir()
    return _opened(path)


def pictures(dataset: DatasetInfo) -> int:
    """The number of unique pictures of a dataset."""
    return int(pq.read_metadata(dataset.folder / "pictures.parquet").num_rows)


def _opened(path: Path) -> Hashes:
    table = pq.read_table(path)
    return Hashes(table, table["hash"].null_count)


def _hashed(todo: list[tuple[DatasetInfo, Path, list[str]]], workers: int) -> Iterator[int]:
    """Iterate over the number of pictures of each part as it is completed."""
    if workers <= 1:
        yield from map(_hash_part, todo)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting: set[Future[int]] = {pool.submit(_hash_part, job) for job in todo}
        while waiting:
            finished, waiting = wait(waiting, return_when="FIRST_COMPLETED")
            yield from (future.result() for future in finished)


def _hash_part(job: tuple[DatasetInfo, Path, list[str]]) -> int:
    dataset, path, ids = job
    pictures = Pictures(dataset)
    places = pictures.places(ids)
    rows = []
    for image_id in ids:
        row: dict[str, Any] = dict.fromkeys(HASHES.names) | {"image_id": image_id}
        try:
            data = pictures.read_at(places[image_id])
            row["md5"] = hashlib.md5(data, usedforsecurity=False).digest()
            image = decode(data, DECODED_PX)
            row["hash"], row["mirrored"] = hash_bits(image), hash_bits(ImageOps.mirror(image))
        except ImageError as error:
            row["problem"] = str(error)[:300]
        rows.append(row)
    write_stamped(path, pa.Table.from_pylist(rows, schema=HASHES), dataset.fingerprint)
    return len(ids)


def stamp_of(path: Path) -> str | None:
    """The dataset fingerprint of a file; None if it is missing or incomplete."""
    with suppress(OSError, pa.ArrowException):
        return (pq.read_schema(path).metadata or {}).get(KEY, b"").decode() or None
    return None


def write_stamped(path: Path, table: pa.Table, fingerprint: str) -> None:
    """Write the file atomically, with the fingerprint."""
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        pq.write_table(
            table.replace_schema_metadata({KEY: fingerprint.encode()}), temporary, compression="zstd"
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(dataset: DatasetInfo) -> Iterator[None]:
    """Lock for one searching process per dataset; the system releases it when the process dies.

    Raises:
        DuplicatesError: another process is at it.
        StorageError: the folder cannot be written.
    """
    if not dataset.folder.exists():
        raise DuplicatesError(f"{dataset.name} was removed.")
    with storage_errors(dataset.folder):
        folder_of(dataset).mkdir(exist_ok=True)
        lock = (folder_of(dataset) / ".lock").open("a")
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DuplicatesError(
                f"Duplicates of {dataset.name} are being computed already. Wait until that is done."
            ) from error
        yield


def in_progress(dataset: DatasetInfo) -> bool:
    """Whether a process is searching for duplicates now."""
    path = folder_of(dataset) / ".lock"
    if not path.exists():
        return False
    with suppress(OSError), path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def flat(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    """(n, 16) bytes of a column of HASHES without NULLs."""
    joined = b"".join(column.to_pylist())
    return np.frombuffer(joined, np.uint8).reshape(-1, 16)
