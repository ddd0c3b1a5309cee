"""The table of incorrect pairs: its columns, and its files in `pairs/<vectors>-<digest of the settings>/`.

`pairs.parquet` has one row per anchor, `pairs.json` says how they were made. Pairs of an earlier version of the
dataset, or of vectors that were computed again since, are outdated: an error that says what to run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.map_files import vectors_digest
from core.embeddings.store import NAME
from core.errors import PairsError, UsageError
from core.storage import load_array, replace_folder, storage_errors

Method = Literal["clusters", "random", "below"]
VERSION = 1  # increase it when the meaning of a column changes
MOST_CLUSTERS = 1_000

COLUMNS = pa.schema(
    [
        pa.field("row_id", pa.int64(), nullable=False),  # the anchor k, ascending
        pa.field("partner", pa.int64(), nullable=False),  # row_id of j(k), whose text it gets; -1: dropped
        pa.field("image_cluster", pa.int32(), nullable=False),  # of the anchor's picture; -1 without clusters
        pa.field("text_cluster", pa.int32(), nullable=False),  # of the anchor's text
        pa.field("partner_image_cluster", pa.int32(), nullable=False),
        pa.field("partner_text_cluster", pa.int32(), nullable=False),
        pa.field("similarity", pa.float32(), nullable=False),  # S_k, cosine of the two pictures; NaN: dropped
        pa.field("text_similarity", pa.float32(), nullable=False),  # cosine of the two texts; NaN: dropped
        pa.field("weight_positive", pa.float32(), nullable=False),  # w^p = m(S_k); 1 where dropped
        pa.field("weight_negative", pa.float32(), nullable=False),  # w^n = 1 - m(S_k); 0 where dropped
        pa.field("redraws", pa.int32(), nullable=False),  # clusters drawn that had no candidate
        pa.field("fallback", pa.bool_(), nullable=False),  # none below the threshold: the least similar
    ]
)


@dataclass(frozen=True)
class PairSettings:
    """What determines the pairs of a dataset; the same settings give the same pairs.

    Attributes:
        method: `clusters`: the paper's; `random`: any other product; `below`: any product whose picture is no more
            similar than the threshold.
        threshold: cosine of `below`, .8 and .2 in the paper; None for other methods.
        image_vectors, text_vectors: sets of vectors of the dataset (`vitrine embeddings list`).
        split: only products of this split are anchors and partners; empty: all.
        clusters: of the pictures and, separately, of the texts.
        replacement: may one product be the partner of several anchors?
    """

    method: Method = "clusters"
    threshold: float | None = None
    image_vectors: str = "clip-tiny"
    text_vectors: str = "clip-tiny.text"
    split: str = ""
    clusters: int = 10
    replacement: bool = True
    seed: int = 0

    def check(self) -> PairSettings:
        """
        Raises:
            UsageError: a value is out of range, or does not go with the method.
        """
        if self.method not in get_args(Method):
            raise UsageError(f"method is {self.method!r}; expected {', '.join(get_args(Method))}.")
        if self.method == "below" and not (self.threshold is not None and -1 <= self.threshold <= 1):
            raise UsageError(f"threshold is {self.threshold}; method below expects a cosine from -1 to 1.")
        if self.method != "below" and self.threshold is not None:
            raise UsageError(f"A threshold goes with method below, not with {self.method}.")
        if not 2 <= self.clusters <= MOST_CLUSTERS:
            raise UsageError(f"clusters is {self.clusters}; expected 2 to {MOST_CLUSTERS:,}.")
        if not self.replacement and self.method != "clusters":
            raise UsageError("Partners without replacement go with method clusters alone.")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed is {self.seed}; expected 0 to {2**32 - 1:,}.")
        for name in (self.image_vectors, self.text_vectors):
            if not NAME.fullmatch(name):
                raise UsageError(f"{name!r} cannot name a set of vectors.")
        return self

    @property
    def name(self) -> str:
        """Of the folder: the pictures' vectors and a digest of all settings."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.image_vectors}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"

    @property
    def title(self) -> str:
        """For people: what one set of pairs differs by from another."""
        how = {
            "clusters": f"{self.clusters} clusters",
            "random": "random",
            "below": f"similarity at most {self.threshold}",
        }
        parts = [how[self.method], self.image_vectors, self.split or "all splits", f"seed {self.seed}"]
        return ", ".join([*parts, *([] if self.replacement else ["each partner once"])])


@dataclass(frozen=True)
class Counts:
    """Figures of one generation."""

    anchors: int  # K: products with a picture and a text
    left_out: int  # products of the split without a vector of picture or text
    pairs: int  # anchors that got a partner
    dropped: int  # anchors without any candidate
    redrawn: int  # anchors whose first cluster had no candidate
    fallback: int  # anchors without a candidate below the threshold
    partners: int  # distinct partners
    most_used: int  # anchors that share the most frequent partner
    same_picture: int  # pairs whose two pictures have the same vector: they are no incorrect pairs
    same_text: int  # pairs whose two texts have the same vector


@dataclass(frozen=True)
class Described:
    """What pairs.json says."""

    name: str
    settings: PairSettings
    counts: Counts
    fingerprint: str  # of the dataset
    image_digest: str  # of the vectors
    text_digest: str
    image_sizes: tuple[int, ...] = ()  # anchors in each cluster of pictures
    text_sizes: tuple[int, ...] = ()
    image_typical: tuple[
        tuple[int, ...], ...
    ] = ()  # of each cluster of pictures the row_ids nearest to its centre
    text_typical: tuple[tuple[int, ...], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    created: str = ""
    version: int = VERSION


@dataclass(frozen=True)
class PairTable:
    """Incorrect pairs (I_k, T_j(k)), one per anchor; the columns are those of COLUMNS, K values each.

    The symmetric version, both pairs of an exchange, needs no other table: its second pair is (I_j(k), T_k).
    """

    described: Described
    row_id: NDArray[np.int64]
    partner: NDArray[np.int64]
    image_cluster: NDArray[np.int32]
    text_cluster: NDArray[np.int32]
    partner_image_cluster: NDArray[np.int32]
    partner_text_cluster: NDArray[np.int32]
    similarity: NDArray[np.float32]
    text_similarity: NDArray[np.float32]
    weight_positive: NDArray[np.float32]
    weight_negative: NDArray[np.float32]
    redraws: NDArray[np.int32]
    fallback: NDArray[np.bool_]

    @property
    def paired(self) -> NDArray[np.bool_]:
        """(K,) anchors that have a partner."""
        return self.partner >= 0

    def as_table(self) -> pa.Table:
        """For Parquet."""
        return pa.table({name: getattr(self, name) for name in COLUMNS.names}, schema=COLUMNS)


def folder_of(info: DatasetInfo, name: str) -> Path:
    """
    Raises:
        UsageError: the name cannot be a folder's.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a set of pairs.")
    return info.folder / "pairs" / name


def command(info: DatasetInfo, settings: PairSettings) -> str:
    """The command that generates these pairs."""
    plain = PairSettings()
    options = [
        f"--{key.replace('_', '-')} {value}"
        for key, value in asdict(settings).items()
        if value != getattr(plain, key) and key != "replacement"
    ]
    return " ".join(["vitrine pairs", info.name, *options, *([] if settings.replacement else ["--once"])])


def save(info: DatasetInfo, table: PairTable) -> Path:
    """Put a table into the dataset's folder, whole or not at all; one of the same settings is replaced.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    target = folder_of(info, table.described.name)
    aside = target.with_name(f".{target.name}-{os.getpid()}")
    with storage_errors(info.folder):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            pq.write_table(table.as_table(), aside / "pairs.parquet")
            text = json.dumps(asdict(table.described), ensure_ascii=False, indent=1)
            (aside / "pairs.json").write_text(text + "\n", encoding="utf-8")
            replace_folder(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return target


def load(info: DatasetInfo, name: str) -> PairTable:
    """The pairs of that name.

    Raises:
        PairsError: there are none, they are outdated or broken; the text says what to run.
    """
    described = describe(info, name)
    if why := outdated(info, described):
        raise PairsError(
            f"The pairs {name} of {info.name} are outdated: {why}. Generate them again: "
            f"{command(info, described.settings)}"
        )
    try:
        read = pq.read_table(folder_of(info, name) / "pairs.parquet").select(COLUMNS.names).cast(COLUMNS)
        columns = {key: read[key].to_numpy() for key in COLUMNS.names}
        for key in ("row_id", "partner"):
            if len(columns[key]) and not -1 <= columns[key].min() <= columns[key].max() < info.rows:
                raise ValueError(f"{key} names products that do not exist")
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise PairsError(
            f"The pairs {name} of {info.name} are broken ({error}). Generate them again: "
            f"{command(info, described.settings)} --again"
        ) from error
    return PairTable(described, **columns)


def describe(info: DatasetInfo, name: str) -> Described:
    """What is said of the pairs of that name, current or not.

    Raises:
        PairsError: there are none, or what is said cannot be read.
    """
    path = folder_of(info, name) / "pairs.json"
    if not path.exists():
        have = ", ".join(known.name for known in listing(info)) or "none yet"
        raise PairsError(
            f"{info.name} has no pairs {name!r} (there are: {have}). Generate them: vitrine pairs {info.name}"
        )
    try:
        return _read(path)
    except (OSError, ValueError, TypeError, KeyError, UsageError) as error:
        raise PairsError(
            f"The pairs {name} of {info.name} are broken ({error}). Generate them again: vitrine pairs {info.name}"
        ) from error


def listing(info: DatasetInfo) -> list[Described]:
    """The sets of pairs that are there and current, newest first."""
    found = []
    for path in (info.folder / "pairs").glob("*/pairs.json"):
        try:
            described = _read(path)
        except (OSError, ValueError, TypeError, KeyError, UsageError):
            continue
        if described.name == path.parent.name and not outdated(info, described):
            found.append(described)
    return sorted(found, key=lambda one: (one.created, one.name), reverse=True)


def outdated(info: DatasetInfo, described: Described) -> str:
    """Why the pairs are outdated; empty where they are current. Pairs without their vectors are not outdated."""
    if described.fingerprint != info.fingerprint:
        return f"they are of an earlier version of the dataset (fingerprint {described.fingerprint})"
    if described.version != VERSION:
        return "they are of an earlier version of Vitrine"
    settings = described.settings
    for name, made_of in (
        (settings.image_vectors, described.image_digest),
        (settings.text_vectors, described.text_digest),
    ):
        if digest(info, name) not in (None, made_of):
            return f"the vectors {name} were computed again since"
    return ""


def digest(info: DatasetInfo, name: str) -> str | None:
    """A digest of a set of vectors: of what is said of them and of 64 of them; None if there is none."""
    said = vectors_digest(info, name)
    if said is None:
        return None
    found = hashlib.blake2b(said.encode(), digest_size=8)
    with suppress(OSError, ValueError):
        vectors = load_array(info.folder / "embeddings" / name / "vectors.npy")
        found.update(np.ascontiguousarray(vectors[:: max(1, len(vectors) // 64)]).tobytes())
    return found.hexdigest()


def now() -> str:
    """For `created`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _read(path: Path) -> Described:
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(said, dict):
        raise TypeError("pairs.json is no object")
    known = {entry.name for entry in fields(Described)}
    said = {key: value for key, value in said.items() if key in known}
    said["settings"] = PairSettings(**said["settings"]).check()
    said["counts"] = Counts(**said["counts"])
    for key in ("image_sizes", "text_sizes"):
        said[key] = tuple(int(size) for size in said[key])
    for key in ("image_typical", "text_typical"):
        said[key] = tuple(tuple(int(row) for row in rows) for rows in said[key])
    return Described(**said)
