"""The training data of an encoder, compared with a dataset: is a classification of the dataset zero-shot?

`seen.json` beside an encoder's weights lists its training datasets, by name and fingerprint, and the names of all classes
in its captions. `trainers.clip` writes it.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from core.catalog.info import DatasetInfo
from core.errors import ModelError
from core.storage import storage_errors

FILE = "seen.json"


@dataclass(frozen=True)
class SeenDataset:
    """A training dataset of an encoder."""

    name: str  # at the time of training
    fingerprint: str = ""  # at the time of training; empty for datasets outside Vitrine
    pictures: int = 0
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The training data of an encoder."""

    datasets: tuple[SeenDataset, ...]
    classes: tuple[str, ...] = ()  # names of the classes in captions; () for web captions


@dataclass(frozen=True)
class Exposure:
    """The exposure of an encoder to the products and classes of a dataset in training."""

    kind: Literal["none", "classes", "dataset", "unknown"]  # what the encoder was trained on
    encoder: str
    dataset: str
    classes: int  # of the dataset
    seen_classes: int = 0
    pictures: int = 0  # of the dataset in the encoder's training, if kind is `dataset`

    @property
    def zero_shot(self) -> bool:
        """Whether the encoder was trained on none of the dataset's products and classes, as far as recorded."""
        return self.kind == "none"

    @property
    def short(self) -> str:
        """A short text, for a title or a table."""
        return {
            "none": "zero-shot",
            "classes": f"not zero-shot: saw {self.seen_classes:,} of {self.classes:,} categories",
            "dataset": "not zero-shot: saw this dataset",
            "unknown": "not known to be zero-shot",
        }[self.kind]

    def sentence(self) -> str:
        """A sentence, for a note."""
        if self.kind == "none":
            return f"Zero-shot: {self.encoder} was trained on none of the categories of {self.dataset}, as far as is known."
        if self.kind == "dataset":
            return (
                f"Not zero-shot: {self.encoder} was trained on {self.pictures:,} pictures of {self.dataset}, with captions "
                f"made from {self.seen_classes:,} of its {self.classes:,} categories."
            )
        if self.kind == "classes":
            return (
                f"Not zero-shot: {self.encoder} was trained on other pictures of {self.seen_classes:,} of the "
                f"{self.classes:,} categories of {self.dataset}."
            )
        return (
            f"Not known to be zero-shot: the training data of {self.encoder} is not recorded. A file {FILE} beside its weights "
            "would record it."
        )

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Exposure:
        """The inverse of `as_dict`."""
        return cls(**{field.name: described[field.name] for field in fields(cls)})

    def as_dict(self) -> dict[str, object]:
        """A dictionary for JSON."""
        return asdict(self) | {"zero_shot": self.zero_shot}


def same_name(name: str) -> str:
    """Normalise a class name for comparison: lower-case letters and digits only.

    >>> same_name("Women's T-Shirts") == same_name("womens-t-shirts")
    True
    """
    return "".join(sign for sign in unicodedata.normalize("NFC", name).casefold() if sign.isalnum())


def read_seen(folder: Path) -> Seen | None:
    """Read the record beside an encoder's weights; None if there is none.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / FILE
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        datasets = tuple(
            SeenDataset(
                str(one["name"]),
                str(one["fingerprint"]),
                int(one["pictures"]),
                tuple(map(str, one["splits"])),
            )
            for one in described["datasets"]
        )
        return Seen(datasets, tuple(str(name) for name in described["classes"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} does not say what the encoder was trained on: {error!r}.") from error


def write_seen(folder: Path, seen: Seen) -> None:
    """
    Raises:
        StorageError: the folder cannot be written.
    """
    temporary = folder / f".{FILE}.{os.getpid()}"
    with storage_errors(folder):
        temporary.write_text(json.dumps(asdict(seen), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        temporary.replace(folder / FILE)


def exposure(encoder: str, seen: Seen | None, info: DatasetInfo) -> Exposure:
    """The exposure of an encoder to a dataset.

    Datasets are matched by fingerprint, classes by name: the last part of the path, or the source's name.
    """
    names = _names(info.name, info.fingerprint)
    if seen is None:
        return Exposure("unknown", encoder, info.name, len(names))
    known = {same_name(name) for name in seen.classes} - {""}
    met = sum(1 for each in names if known.intersection(each))
    for dataset in seen.datasets:
        if dataset.fingerprint and dataset.fingerprint == info.fingerprint:
            return Exposure("dataset", encoder, info.name, len(names), met, dataset.pictures)
    return Exposure("classes" if met else "none", encoder, info.name, len(names), met)


@lru_cache(maxsize=64)
def _names(dataset: str, fingerprint: str) -> tuple[frozenset[str], ...]:
    """The names of each category of a dataset."""
    from core.catalog.products import Products  # DuckDB

    found = Products.open(dataset).query(
        "SELECT category_path, list(DISTINCT category) FROM cohort WHERE len(category_path) > 0 GROUP BY 1"
    )
    return tuple(_compared([path[-1], *labels]) for path, labels in found.fetchall())


def _compared(names: Iterable[str | None]) -> frozenset[str]:
    return frozenset(same_name(name) for name in names if name) - {""}
