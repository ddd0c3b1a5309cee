"""Measure the pictures of a dataset: size and format from the header, brightness and colour from a small decode.

`picture_stats.parquet` beside the dataset holds one row a picture. It is measured in a process of its own, in parts
that survive a kill, and put in place when all parts are there; it carries the dataset's fingerprint.
"""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from core.catalog.info import DatasetInfo
from core.errors import ImageError, StorageError, VitrineError
from core.images.pictures import Pictures, Place, decode
from core.progress import Progress, no_progress
from core.settings import PROJECT
from core.sources.archive import is_url
from core.storage import storage_errors

PART = 2_000  # pictures per part; a kill loses at most one part
SMALL_PX = 32  # side of the decode for brightness and colour
KEY = b"vitrine.fingerprint"

STATS = pa.schema(
    [
        ("image_id", pa.string()),
        ("width", pa.int32()),  # pixels, from the header; NULL if unreadable
        ("height", pa.int32()),
        ("format", pa.string()),  # JPEG, PNG, WEBP, ...
        ("bytes", pa.int64()),  # of the file
        ("brightness", pa.float32()),  # mean luma, 0 black to 1 white
        ("red", pa.uint8()),  # mean colour, 0 to 255
        ("green", pa.uint8()),
        ("blue", pa.uint8()),
        ("problem", pa.string()),  # reason why it is unreadable; else NULL
    ]
)

State = Literal["absent", "stopped", "running", "done", "stale", "none", "remote"]


@dataclass(frozen=True)
class Measured:
    """The progress of measuring the pictures of a dataset."""

    state: State
    done: int
    total: int

    @property
    def says(self) -> str:
        """A sentence about the state."""
        command = "vitrine stats NAME --pictures"
        return {
            "none": "This dataset has no pictures to measure.",
            "remote": "Its pictures are on the web: measuring them would download them all, so this is not supported.",
            "absent": f"Its {self.total:,} pictures are not measured yet; start here or with {command}.",
            "stopped": f"Measuring stopped at {self.done:,} of {self.total:,} pictures; it continues from there when started again.",
            "running": f"Measured {self.done:,} of {self.total:,} pictures so far; you can leave this page meanwhile.",
            "stale": f"The measurements belong to an earlier import of this dataset; measure again with {command}.",
            "done": f"All {self.total:,} pictures are measured.",
        }[self.state]


def stats_path(dataset: DatasetInfo) -> Path:
    return dataset.folder / "picture_stats.parquet"


def _parts(dataset: DatasetInfo) -> Path:
    return dataset.folder / "picture_stats.parts"


def measured(dataset: DatasetInfo) -> Measured:
    """The current progress, without blocking."""
    total = _total(dataset)
    found = _fingerprint(stats_path(dataset))
    if found == dataset.fingerprint:
        return Measured("done", total, total)
    if total == 0:
        return Measured("none", 0, 0)
    if is_remote(dataset):
        return Measured("remote", 0, total)
    done = min(total, PART * sum(1 for part in _parts(dataset).glob("*.parquet")))
    if _is_locked(dataset):
        return Measured("running", done, total)
    if done:
        return Measured("stopped", done, total)
    return Measured("stale" if found else "absent", 0, total)


def is_remote(dataset: DatasetInfo) -> bool:
    """Whether the pictures are on another machine."""
    if any(is_url(place) for place in dataset.pictures.get("archives", ())):
        return True
    table = pq.ParquetFile(dataset.folder / "pictures.parquet")
    if not table.metadata.num_rows:
        return False
    first = next(table.iter_batches(batch_size=100, columns=["image"])).column("image").to_pylist()
    return any(image is not None and is_url(image) for image in first)


def _total(dataset: DatasetInfo) -> int:
    with suppress(OSError, pa.ArrowException):
        return int(pq.read_metadata(dataset.folder / "pictures.parquet").num_rows)
    return 0


def _fingerprint(path: Path) -> str | None:
    with suppress(OSError, pa.ArrowException):
        return (pq.read_schema(path).metadata or {}).get(KEY, b"").decode() or None
    return None


def start(dataset: DatasetInfo) -> None:
    """Start measuring in a background process at low priority, unless it is running."""
    if _is_locked(dataset):
        return
    environment = os.environ | {"VITRINE_HOME": str(dataset.folder.parent)}
    subprocess.Popen(  # noqa: S603 - our own module with a checked name
        [sys.executable, "-m", "core.statistics.picture_stats", dataset.name],
        cwd=PROJECT, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def measure(dataset: DatasetInfo, progress: Progress = no_progress, threads: int | None = None) -> Path:
    """Measure the missing pictures and write the table; continues an interrupted run.

    Raises:
        VitrineError: it is being measured already, there is nothing to measure, or the folder cannot be written.
    """
    state = measured(dataset)
    if state.state in ("none", "remote"):
        raise VitrineError(state.says)
    path = stats_path(dataset)
    if state.state == "done":
        return path
    with storage_errors(dataset.folder), _lock(dataset):
        parts = _parts(dataset)
        parts.mkdir(exist_ok=True)
        pictures = Pictures(dataset)
        with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
            done = 0
            for number, batch in enumerate(_batches(dataset)):
                part = parts / f"{number:06d}.parquet"
                if _fingerprint(part) != dataset.fingerprint:
                    rows = pool.map(lambda entry: _measure(pictures, *entry), batch)
                    _write(part, pa.Table.from_pylist(list(rows), schema=STATS), dataset.fingerprint)
                done += len(batch)
                progress(done, state.total, "Measuring pictures")
        files = sorted(parts.glob("*.parquet"))[: -(-state.total // PART)]
        _write(path, pa.concat_tables([pq.read_table(file) for file in files]), dataset.fingerprint)
        for file in parts.glob("*"):
            file.unlink(missing_ok=True)
        parts.rmdir()
    return path


def _batches(dataset: DatasetInfo) -> Iterator[list[tuple[str, Place]]]:
    """Pictures in the order of their archives, for sequential reads."""
    table = str(dataset.folder / "pictures.parquet").replace("'", "''")
    sql = f"""SELECT image_id, image, part, "offset", size, method FROM read_parquet('{table}')
              ORDER BY part, "offset", image, image_id"""
    with duckdb.connect(config={"threads": 1}) as db:
        db.execute("SET enable_progress_bar = false")
        cursor = db.execute(sql)
        while rows := cursor.fetchmany(PART):
            yield [(row[0], Place(*row[1:])) for row in rows]


def _measure(pictures: Pictures, image_id: str, place: Place) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(STATS.names) | {"image_id": image_id}
    try:
        data = pictures.read_at(place)
        row["bytes"] = len(data)
        row |= header(data)
        row |= light(data)
    except ImageError as error:
        row["problem"] = "cannot be decoded" if row["bytes"] is not None else f"cannot be read: {error}"[:300]
    return row


def header(data: bytes) -> dict[str, Any]:
    """Width, height and format, without decoding.

    Raises:
        ImageError: these bytes begin like no picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return {"width": image.width, "height": image.height, "format": image.format}
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageError("This is not a picture.") from error


def light(data: bytes) -> dict[str, Any]:
    """Mean brightness and mean colour of a picture, from a decode of about SMALL_PX pixels per side.

    Brightness is the luma of Rec. 709, (0.2126 R + 0.7152 G + 0.0722 B) / 255, of the mean colour in sRGB values.

    Raises:
        ImageError: it cannot be decoded.
    """
    small = decode(data, SMALL_PX).resize((SMALL_PX, SMALL_PX), Image.Resampling.BOX)
    red, green, blue = np.asarray(small, dtype=np.float64).reshape(-1, 3).mean(axis=0)
    luma = (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
    return {"brightness": float(luma), "red": round(red), "green": round(green), "blue": round(blue)}


def _write(path: Path, table: pa.Table, fingerprint: str) -> None:
    temporary = path.with_suffix(f".{os.getpid()}")
    table = table.replace_schema_metadata({KEY: fingerprint.encode()})
    try:
        pq.write_table(table, temporary, compression="zstd", row_group_size=100_000)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _open_lock(dataset: DatasetInfo) -> IO[str]:
    return (dataset.folder / "picture_stats.lock").open("a")


@contextmanager
def _lock(dataset: DatasetInfo) -> Iterator[None]:
    """Lock for one measuring process; the system releases it when the process dies."""
    with _open_lock(dataset) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(f"The pictures of {dataset.name} are already being measured.") from error
        yield


def _is_locked(dataset: DatasetInfo) -> bool:
    if not (dataset.folder / "picture_stats.lock").exists():
        return False
    try:
        with _open_lock(dataset) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # read-only folder: not measured
        return False
    return False


if __name__ == "__main__":
    from core.catalog.info import info

    os.nice(10)
    measure(info(sys.argv[1]))
