"""Folders of datasets: atomic creation and removal, locks, disk space."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DatasetExistsError, StorageError, UsageError
from core.settings import settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = frozenset(("runs", "uploads", "evaluations", "downloads", "encoders"))
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def check_name(name: str) -> None:
    """
    Raises:
        UsageError: the name cannot be a folder's and a URL's.
    """
    if not NAME.fullmatch(name) or name.lower() in RESERVED or name.endswith("."):
        raise UsageError(
            f"{name!r} cannot be a dataset's name. Use letters, digits, '-', '_' and '.', "
            f"64 at most, beginning with a letter or digit, and not {' or '.join(sorted(RESERVED))}."
        )


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """A temporary folder that becomes the dataset's folder on success and is deleted otherwise.

    Raises:
        DatasetExistsError: the name is taken, now or by the time that the folder is ready.
        StorageError: the folder cannot be written, or the disk is full.
    """
    check_name(name)
    home = settings().home
    with storage_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            _check_free(home / name)
            held = _leftovers(home)
            building = _aside(home, "building", name)
            building.mkdir()
            lock = _lock(building)  # the system releases it when this process dies
        _delete(held)
        try:
            yield building
            flush(building)
            with _locked(home):
                _check_free(home / name)
                building.rename(home / name)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            os.close(lock)


def remove_folder(folder: Path) -> None:
    """Remove a dataset's folder: rename it at once, then delete it.

    Raises:
        FileNotFoundError: it is gone already.
        StorageError: it cannot be written.
    """
    leaving = _aside(folder.parent, "removed", folder.name)
    with storage_errors(folder.parent):
        with _locked(folder.parent):
            if there := folder.exists():
                folder.rename(leaving)
                lock = _lock(leaving)
        if there:
            shutil.rmtree(leaving, ignore_errors=True)
            os.close(lock)
    if not there:
        raise FileNotFoundError(folder)


def _aside(home: Path, why: str, name: str) -> Path:
    """A unique name that no dataset can have."""
    return home / f".{why}-{name}-{uuid.uuid4().hex[:12]}"


def _check_free(target: Path) -> None:
    if (target / "dataset.json").exists():
        raise DatasetExistsError(target.name)
    if target.exists() or target.is_symlink():
        raise StorageError(
            f"{target} exists already and is not a dataset of Vitrine. Move it away or choose another name."
        )


def sweep() -> int:
    """Delete leftovers of killed imports and removals: temporary folders that nobody holds a lock on. A home that cannot be
    written is left as it is.

    Returns:
        How many were deleted.
    """
    home = settings().home
    try:
        with _locked(home):
            held = _leftovers(home)
    except OSError:
        return 0
    return _delete(held)


def _leftovers(home: Path) -> list[tuple[Path, int]]:
    """Temporary folders of processes that are gone, each with its lock, which is ours now. The home must be locked: a folder
    that was made a moment ago has no lock yet."""
    found = []
    for leftover in [*home.glob(".building-*"), *home.glob(".removed-*")]:
        with suppress(OSError):
            found.append((leftover, _lock(leftover, wait=False)))
    return found


def _delete(held: list[tuple[Path, int]]) -> int:
    for leftover, lock in held:
        shutil.rmtree(leftover, ignore_errors=True)
        os.close(lock)
    return sum(not leftover.exists() for leftover, _ in held)


def being_built() -> list[str]:
    """Names of the datasets that are being imported now, by any process."""
    found = []
    for folder in settings().home.glob(".building-*-*"):
        try:
            os.close(_lock(folder, wait=False))
        except BlockingIOError:
            found.append(folder.name.split("-", 1)[1].rsplit("-", 1)[0])
        except OSError:  # done meanwhile
            continue
    return sorted(found)


def keep_newest(folder: Path, n: int) -> None:
    """Delete the oldest files of a folder beyond n; a file deleted meanwhile is not an error."""
    aged: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):
            aged.append((path.stat().st_mtime, path))
    for _, path in sorted(aged)[: max(0, len(aged) - n)]:
        path.unlink(missing_ok=True)


def _lock(folder: Path, wait: bool = True) -> int:
    """A descriptor that holds the folder's lock until it is closed.

    Raises:
        OSError: somebody else holds it and we do not wait, or this file system has no locks and we asked to know.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if not wait:
            os.close(descriptor)
            raise
    return descriptor


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """A lock shared by all processes that use this home."""
    lock = _lock(home)
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def alone(path: Path, busy: Callable[[str], Exception]) -> Iterator[None]:
    """Hold the lock at `path` for the block; the system releases it when the process dies.

    Args:
        busy: makes the error if another process holds it, given its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 200).decode("utf-8", "replace").strip()
            raise busy(holder or "another process") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """The process that holds the lock at `path`, or None."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return os.read(descriptor, 200).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def reserve(path: Path, start: int = 0, size: int | None = None) -> None:
    """Allocate the disk space of a file. Writing through a memory map to a sparse file
    kills the process (SIGBUS) once the disk is full; here it raises an error.

    Args:
        size: bytes from `start`; all of the file otherwise.

    Raises:
        OSError: the disk is full.
    """
    with path.open("r+b") as file:
        wanted = os.fstat(file.fileno()).st_size if size is None else size
        if wanted:
            os.posix_fallocate(file.fileno(), start, wanted)


def append_line(path: Path, line: str) -> None:
    """Append a line to a file that several processes append to; it is on disk when this returns.

    A half line that a killed writer left is ended first, and lines never mix.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")
        os.write(descriptor, line.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_array(path: Path, mmap: bool = True) -> NDArray[Any]:
    """An .npy file, by default mapped from the disk; never a pickle.

    Raises:
        OSError: it cannot be opened.
        ValueError: its header says what no array can be: numpy itself raises a dozen kinds of errors for these.
    """
    import numpy as np

    try:
        found = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            found.close()
            raise TypeError("it is an archive of arrays")
        return found
    except (OSError, ValueError):
        raise
    except (
        Exception
    ) as error:  # OverflowError, SyntaxError, MemoryError, BadZipFile, TokenError: whatever the header meets
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise ValueError(f"{path.name} is no array of numbers: {why}") from error


def flush(folder: Path) -> None:
    """Flush to disk; a full or network disk may raise its error only now."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def replace_folder(made: Path, target: Path) -> None:
    """Put a finished folder in the place of an earlier one, if there is one, after its files have reached the disk."""
    flush(made)
    old = target.with_name(f".old-{target.name}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Turn write errors of the system into a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageError(
                f"The disk of {place} is full; nothing was stored. Free some space and run it again."
            ) from error
        if error.errno is None:
            raise
        raise StorageError(
            f"Cannot write to {place} ({error.strerror or error}). Choose another folder with VITRINE_HOME."
        ) from error
