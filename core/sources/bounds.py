"""Limits of an import, since its files are untrusted: memory of the process, and decompressed size.

A few kilobytes can decompress to gigabytes: a zip or gzip of one repeated letter, a Parquet file with one long text in a
dictionary. Regular tables decompress to about ten times their size.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from core.errors import SourceError
from core.settings import settings

FIELD_CHARACTERS = 4 * 2**20  # longest CSV field, name or description; longer ones are rejected
RECORD_CHARACTERS = 16 * 2**20  # longest CSV record, all its lines together
DEPTH = 100  # levels of lists and structures in one record
NESTED = f"nested deeper than {DEPTH} levels"
LONG = f"a text of more than {FIELD_CHARACTERS >> 20} million characters"
GROWTH = 100  # largest ratio of decompressed size to file size
GROWTH_BYTES = 2**30  # decompressed size that is always allowed


def too_deep(value: Any, levels: int = DEPTH) -> bool:
    """Whether a value has more levels than allowed. Its later readers are recursive.

    >>> too_deep([[1]], 2), too_deep({"a": [[1]]}, 2)
    (False, True)
    """
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return False
    return levels == 0 or any(too_deep(part, levels - 1) for part in value)


def check_growth(unfolded: int, size: int, place: str) -> None:
    """
    Args:
        unfolded: decompressed bytes so far, or as declared by the file.
        size: bytes of the compressed files.

    Raises:
        SourceError: the ratio exceeds GROWTH.
    """
    if unfolded > max(GROWTH_BYTES, GROWTH * size):
        raise SourceError(
            f"{place} decompresses to {unfolded / 2**30:.1f} GB from {size / 2**20:.1f} MB, more than {GROWTH} times its size. "
            "It is damaged, or made to exhaust memory or disk. Check its content."
        )


@contextmanager
def own_memory() -> Iterator[None]:
    """Limit the memory of this process and report exhaustion as one error. For processes that only import.

    Raises:
        SourceError: the import needs more than `Settings.import_bytes`.
    """
    most = settings().import_bytes
    with suppress(ValueError, OSError):  # a lower limit is set already, or the system has none
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    try:
        yield
    except MemoryError as error:  # also Arrow's
        raise SourceError(
            f"The import needs more memory than {most / 2**30:.1f} GB and was stopped; nothing was saved. "
            "A file may be damaged; or allow more with VITRINE_IMPORT_MB."
        ) from error
