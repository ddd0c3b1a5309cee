"""Sets of vectors of a dataset on disk: `embeddings/<name>/`; row i is row_id i.

`vectors.npy` is (n, d) float16, `present.npy` (n,) bool, `encoder.json` the metadata. A set is written in chunks to a
temporary folder, which is renamed when complete: an interrupted computation continues, and incomplete sets are never read.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.errors import EmbeddingError, UsageError
from core.storage import alone, holder, load_array, replace_folder, reserve, storage_errors

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
Tower = Literal["image", "text", "imported"]
UNDER = "embeddings"
PICTURES_ALONE = ("imagenet-lite0",)  # image-only encoders


@dataclass(frozen=True)
class Description:
    """The metadata of a set of vectors, from encoder.json."""

    encoder: str  # a name in core.embeddings.clip, or of an import
    tower: Tower
    dimensions: int
    fingerprint: str  # of the dataset at the time of embedding
    rows: int
    weights: str = ""  # digest of the encoder's weights; empty if imported
    preprocessing: dict[str, Any] = field(default_factory=dict)
    normalised: bool = True  # every present vector has length 1
    lengths: bool = False  # lengths.npy has the norms before normalisation
    present: int = 0  # number of rows with a vector
    skipped: dict[str, int] = field(default_factory=dict)  # reason -> number of rows without a vector
    created: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class EmbeddingSet:
    """A complete set of vectors, memory-mapped read-only."""

    name: str
    description: Description
    vectors: NDArray[np.float16]  # (n, d)
    present: NDArray[np.bool_]  # (n,)
    folder: Path
    lengths: NDArray[np.float32] | None = None  # (n,) norms before normalisation, if stored


def folder_of(dataset: DatasetInfo, name: str, under: str = UNDER) -> Path:
    """The folder of a set.

    Args:
        under: the parent folder in the dataset's folder; only sets in `embeddings` can be searched.

    Raises:
        UsageError: the name is not valid as a folder name.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a set of vectors. Use letters, digits, '-', '_' and '.', 80 at most."
        )
    return dataset.folder / under / name


def sets(dataset: DatasetInfo) -> list[tuple[str, Description]]:
    """The sets of the current version of the dataset, newest first, without stale and damaged ones."""
    found = []
    for path in (dataset.folder / "embeddings").glob("*/encoder.json"):
        if NAME.fullmatch(path.parent.name):
            try:
                described = _read(path)
            except (OSError, ValueError, TypeError):
                continue
            if described.fingerprint == dataset.fingerprint:
                found.append((path.parent.name, described))
    return sorted(found, key=lambda entry: entry[1].created, reverse=True)


def preferred(found: list[tuple[str, Description]]) -> list[tuple[str, Description]]:
    """Sort sets by usefulness for search: pictures, texts, image-only encoders, imported. The sort is stable."""

    def rank(described: Description) -> int:
        if described.encoder in PICTURES_ALONE:
            return 2
        return {"image": 0, "text": 1, "imported": 3}[described.tower]

    return sorted(found, key=lambda entry: rank(entry[1]))


def open_set(dataset: DatasetInfo, name: str, weights: str | None = None) -> EmbeddingSet:
    """Open one set of vectors.

    Args:
        weights: digest of the weights that will encode queries; None skips the check.

    Raises:
        EmbeddingError: it is missing, stale, damaged or of other weights; the message has the command to run.
    """
    folder = folder_of(dataset, name)
    again = f"vitrine embed {dataset.name} --encoder {name.removesuffix('.text')}"
    again += " --tower text" if name.endswith(".text") else ""
    if not (folder / "encoder.json").exists():
        have = ", ".join(known for known, _ in sets(dataset)) or "none yet"
        raise EmbeddingError(
            f"{dataset.name} has no vectors {name!r} (there are: {have}). Compute them: {again}"
        )
    try:
        described = _read(folder / "encoder.json")
        vectors = load_array(folder / "vectors.npy")
        present = load_array(folder / "present.npy", mmap=False)
        lengths = load_array(folder / "lengths.npy", mmap=False) if described.lengths else None
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise EmbeddingError(
            f"The vectors {name} of {dataset.name} are damaged ({error}). {_recompute(again)}"
        ) from error
    if described.tower == "imported":
        again = f"vitrine embeddings import {dataset.name} FILE --name {name}"
    if described.fingerprint != dataset.fingerprint:
        raise EmbeddingError(
            f"The vectors {name} are of an earlier version of {dataset.name} (fingerprint {described.fingerprint}, "
            f"now {dataset.fingerprint}). {_recompute(again)}"
        )
    shape = (dataset.rows, described.dimensions)
    if vectors.shape != shape or vectors.dtype != np.float16 or present.shape != shape[:1]:
        raise EmbeddingError(
            f"The vectors {name} of {dataset.name} are {vectors.shape} {vectors.dtype}; {shape} float16 "
            f"expected. {_recompute(again)}"
        )
    if weights is not None and described.weights and described.weights != weights:
        raise EmbeddingError(
            f"The vectors {name} of {dataset.name} were made with other weights ({described.weights}) than "
            f"the encoder has now ({weights}). {_recompute(again)}"
        )
    return EmbeddingSet(name, described, vectors, present.astype(bool), folder, lengths)


def _recompute(command: str) -> str:
    return f"Compute them again: {command}"


def _read(path: Path) -> Description:
    described = json.loads(path.read_text(encoding="utf-8"))
    known = {entry.name for entry in fields(Description)}
    return Description(**{key: value for key, value in described.items() if key in known})


class Writer:
    """Writes a set in chunks; see `writing`."""

    def __init__(self, folder: Path, plan: Description, chunks: int) -> None:
        self.folder, self.plan = folder, plan
        shape = (plan.rows, plan.dimensions)
        stamp = {**asdict(plan), "chunks": chunks}
        arrays: list[tuple[str, Any, tuple[int, ...]]] = [
            ("vectors.npy", np.float16, shape),
            ("present.npy", np.bool_, shape[:1]),
            ("done.npy", np.bool_, (chunks,)),
            *([("lengths.npy", np.float32, shape[:1])] if plan.lengths else []),
        ]
        continued = _same_plan(folder / "plan.json", stamp)
        if not continued:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        try:
            for name, kind, size in arrays:
                if not continued:
                    np.lib.format.open_memmap(folder / name, "w+", kind, size).flush()
                reserve(folder / name)
            if not continued:
                (folder / "plan.json").write_text(json.dumps(stamp), encoding="utf-8")
        except OSError:
            if not continued:  # free the space
                shutil.rmtree(folder, ignore_errors=True)
            raise
        self.vectors = np.load(folder / "vectors.npy", mmap_mode="r+")
        self.present = np.load(folder / "present.npy", mmap_mode="r+")
        self.done = np.load(folder / "done.npy", mmap_mode="r+")
        self.lengths = np.load(folder / "lengths.npy", mmap_mode="r+") if plan.lengths else None
        self.skipped: dict[str, int] = {}

    def missing(self) -> list[int]:
        """The chunks that are not written yet."""
        return [int(chunk) for chunk in np.flatnonzero(~np.asarray(self.done))]

    def write(
        self,
        chunk: int,
        rows: NDArray[np.int64],
        vectors: NDArray[np.floating],
        present: NDArray[np.bool_],
        lengths: NDArray[np.floating] | None = None,
    ) -> None:
        """Write one chunk durably: it survives a kill after this returns.

        Args:
            rows: (m,) row_ids.
            vectors: (m, d) of length 1.
            present: (m,) whether there is a vector.
            lengths: (m,) norms before normalisation, if the plan has them.
        """
        self.vectors[rows] = np.where(present[:, None], vectors, 0).astype(np.float16)
        self.present[rows] = present
        if self.lengths is not None and lengths is not None:
            self.lengths[rows] = np.where(present, lengths, 0)
            self.lengths.flush()
        self.vectors.flush()  # vectors are on disk before the chunk is marked as done
        self.present.flush()
        self.done[chunk] = True
        self.done.flush()


def _same_plan(path: Path, stamp: dict[str, Any]) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")) == stamp)
    except (OSError, ValueError):
        return False


@contextmanager
def writing(
    dataset: DatasetInfo,
    name: str,
    plan: Description,
    chunks: int,
    restart: bool = False,
    under: str = UNDER,
) -> Iterator[Writer]:
    """Write a set; it is published when the block ends without an error and no chunk is missing.

    An interrupted computation with the same plan continues, unless `restart`; another plan starts from the beginning.

    Raises:
        EmbeddingError: another process is writing vectors of this dataset.
        StorageError: the folder cannot be written, or the disk is full.
    """
    target = folder_of(dataset, name, under)
    aside = target.with_name(f".writing-{name}")
    with storage_errors(target.parent), _alone(dataset, target.parent):
        if restart:
            shutil.rmtree(aside, ignore_errors=True)
        writer = Writer(aside, plan, chunks)
        yield writer
        if writer.missing():
            return
        described = Description(
            **{
                **asdict(plan),
                "present": int(np.count_nonzero(writer.present)),
                "skipped": dict(sorted(writer.skipped.items())),
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )
        text = json.dumps(asdict(described), ensure_ascii=False, indent=2)
        (aside / "encoder.json").write_text(text + "\n", encoding="utf-8")
        for name_ in ("plan.json", "done.npy"):
            (aside / name_).unlink(missing_ok=True)
        replace_folder(aside, target)


@contextmanager
def _alone(dataset: DatasetInfo, folder: Path) -> Iterator[None]:
    """Allow one writer per dataset."""
    if not dataset.folder.exists():
        raise EmbeddingError(f"{dataset.name} was removed.")

    def busy(holder: str) -> EmbeddingError:
        return EmbeddingError(
            f"Vectors of {dataset.name} are being computed already, by {holder}. "
            "Wait until it is done, or stop it; a later run continues it."
        )

    with alone(folder / ".lock", busy):
        yield


def in_progress(dataset: DatasetInfo) -> str | None:
    """The process that is writing vectors of the dataset, or None."""
    return holder(dataset.folder / "embeddings" / ".lock")


def unit(vectors: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Normalise vectors to length 1.

    Args:
        vectors: (m, d).

    Returns:
        (m, d) unit vectors, zeros for zero vectors, and (m,) whether a vector is not zero.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]]))[0].tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    wide = np.asarray(vectors, np.float32)
    length = np.linalg.norm(wide.astype(np.float64), axis=1)
    good = np.isfinite(length) & (length > 0)
    divisor = np.where(good, length, 1).astype(np.float64)
    return np.where(good[:, None], wide / divisor[:, None], 0).astype(np.float32), good
