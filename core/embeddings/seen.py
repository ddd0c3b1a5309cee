"""What an encoder was trained on, as far as a dataset can be compared with it: is "zero-shot" true of it there?

Beside an encoder's weights lies `seen.json`: the datasets that it was trained on, by name and fingerprint, and every
name of the classes that its captions were made from. `trainers.clip` writes it.
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
    """One dataset that an encoder was trained on."""

    name: str  # as it was called there
    fingerprint: str = ""  # of its files then; empty where it is none of Vitrine's
    pictures: int = 0
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """All that an encoder was trained on."""

    datasets: tuple[SeenDataset, ...]
    classes: tuple[
        str, ...
    ] = ()  # every name of a class that captions were made from; () for captions of the web


@dataclass(frozen=True)
class Exposure:
    """How an encoder stands to one dataset's products and classes."""

    kind: Literal["none", "classes", "dataset", "unknown"]  # what of them it was trained on
    encoder: str
    dataset: str
    classes: int  # of the dataset
    seen_classes: int = 0
    pictures: int = 0  # of the dataset, in the encoder's training; where kind is `dataset`

    @property
    def zero_shot(self) -> bool:
        """The encoder was trained on none of the dataset's products or classes, as far as is said."""
        return self.kind == "none"

    @property
    def short(self) -> str:
        """For a title or a cell of a table."""
        return {
            "none": "zero-shot",
            "classes": f"not zero-shot: saw {self.seen_classes:,} of {self.classes:,} categories",
            "dataset": "not zero-shot: saw this dataset",
            "unknown": "not known to be zero-shot",
        }[self.kind]

    def sentence(self) -> str:
        """For a note."""
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
            f"Not known to be zero-shot: nothing says what {self.encoder} was trained on. A file {FILE} beside its weights "
            "would say it."
        )

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Exposure:
        """From `as_dict`."""
        return cls(**{field.name: described[field.name] for field in fields(cls)})

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self) | {"zero_shot": self.zero_shot}


def same_name(name: str) -> str:
    """What two spellings of one class have in common: letters and digits alone.

    >>> same_name("Women's T-Shirts") == same_name("womens-t-shirts")
    True
    """
    return "".join(sign for sign in unicodedata.normalize("NFC", name).casefold() if sign.isalnum())


def read_seen(folder: Path) -> Seen | None:
    """What lies beside an encoder's weights; None where nothing does.

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
    """How an encoder stands to a dataset.

    A dataset is known again by its fingerprint, a class by its name: its path's last part, or what the source calls it.
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
