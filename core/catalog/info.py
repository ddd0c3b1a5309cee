"""The list of datasets: metadata from dataset.json, and whether the files can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import DamagedDatasetError, UnknownDatasetError, UsageError
from core.settings import settings
from core.storage import NAME, RESERVED, check_name, load_array, remove_folder

KINDS = {"int": int, "str": str, "dict": dict, "list": list}


@dataclass(frozen=True)
class DatasetInfo:
    """The metadata of a dataset, from dataset.json."""

    name: str
    source: str
    licence: str
    rows: int
    fingerprint: str
    created: str
    splits: dict[str, int]
    categories: int
    geos: int
    with_picture: int
    pictures: dict[str, Any]
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    folder: Path = Path()


def datasets() -> list[DatasetInfo]:
    """All datasets that can be opened, by name. Damaged ones and other folders are skipped."""
    found = []
    for name in _names():
        with suppress(UnknownDatasetError):
            found.append(info(name))
    return found


def damaged() -> dict[str, str]:
    """Datasets that cannot be opened, with an error message, by name."""
    found = {}
    for name in _names():
        try:
            info(name)
        except DamagedDatasetError as error:
            found[name] = str(error)
        except UnknownDatasetError:  # removed meanwhile
            continue
    return found


def _names() -> list[str]:
    """Folders with a dataset.json, except those being built or removed."""
    found = (path.parent.name for path in settings().home.glob("*/dataset.json"))
    return sorted(name for name in found if NAME.fullmatch(name) and name.lower() not in RESERVED)


def info(name: str) -> DatasetInfo:
    """
    Raises:
        UnknownDatasetError: there is no such dataset.
        DamagedDatasetError: its files cannot be read.
    """
    try:
        check_name(name)
        folder = settings().home / name
        if not (folder / "dataset.json").exists():
            raise FileNotFoundError(folder)
        return whole(folder)
    except (OSError, UsageError) as error:
        raise UnknownDatasetError(name, [known.name for known in datasets()]) from error


def remove(name: str) -> None:
    """Delete a dataset, damaged or not, and everything computed from it. The imported files themselves stay.

    Raises:
        UnknownDatasetError: there is no such dataset.
        StorageError: the folder cannot be written.
    """
    with suppress(DamagedDatasetError):
        info(name)
    try:
        remove_folder(settings().home / name)
    except FileNotFoundError as error:  # another process removed it first
        raise UnknownDatasetError(name, [known.name for known in datasets()]) from error


def whole(folder: Path) -> DatasetInfo:
    """The metadata of a dataset's folder, after a check of its files, which is repeated when they change.

    Raises:
        FileNotFoundError: the folder is gone.
        DamagedDatasetError: a file is missing, truncated or invalid.
    """
    try:
        described = _described(folder)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedDatasetError(folder.name, f"dataset.json cannot be read ({_line(error)})") from error
    stamps = []
    for name in CHECKS:
        try:
            status = (folder / name).stat()
        except OSError as error:
            if not (folder / "dataset.json").exists():  # it was removed meanwhile
                raise FileNotFoundError(folder) from error
            if name == "search.arrow":
                raise DamagedDatasetError(
                    folder.name, "it was made by an earlier version of Vitrine"
                ) from error
            raise DamagedDatasetError(folder.name, f"{name} is missing") from error
        stamps.append((status.st_ino, status.st_size, status.st_mtime_ns))
    if reason := _trouble(folder, tuple(stamps), described.rows):
        raise DamagedDatasetError(folder.name, reason)
    return described


def _described(folder: Path) -> DatasetInfo:
    said = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    wanted = {entry.name: entry.type for entry in fields(DatasetInfo)}
    known = {key: value for key, value in said.items() if key in wanted.keys() - {"name", "folder"}}
    for key, value in known.items():
        kind = KINDS[str(wanted[key]).partition("[")[0]]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{key} is {type(value).__name__}")
    for key in ("splits", "rejected"):
        if not all(isinstance(count, int) for count in known.get(key, {}).values()):
            raise ValueError(f"{key} holds a value that is not a count")
    return DatasetInfo(name=folder.name, folder=folder, **known)


@lru_cache(maxsize=256)
def _trouble(folder: Path, stamps: tuple[tuple[int, int, int], ...], rows: int) -> str:
    """Why the files cannot be used; empty if they can."""
    for name, read in CHECKS.items():
        try:
            found = read(folder / name)
        except FileNotFoundError:
            return f"{name} is missing"
        except (OSError, ValueError, EOFError, pa.ArrowException) as error:
            return f"{name} cannot be read ({_line(error)})"
        if found not in (None, rows):
            return f"{name} has {found:,} rows, expected {rows:,}"
    return ""


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _pictures(path: Path) -> None:
    pq.read_metadata(path)


def _words(path: Path) -> int:
    with pa.memory_map(str(path)) as file:
        return int(pa.ipc.open_file(file).read_all().num_rows)


def _ranks(path: Path) -> int:
    (rows,) = load_array(path).shape
    return int(rows)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


CHECKS: dict[str, Callable[[Path], int | None]] = {
    "products.parquet": _rows,
    "search.arrow": _words,
    "name_rank.npy": _ranks,
    "pictures.parquet": _pictures,
}
