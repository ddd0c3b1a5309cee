"""What an import may take from files that may be hostile: the memory of its process, and what they unfold to.

A few kilobytes can unfold to gigabytes: a zip or gzip of one letter, a Parquet file of one long text in a dictionary.
Honest tables unfold to some ten times their size.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from core.errors import SourceError
from core.settings import settings

FIELD_CHARACTERS = 4 * 2**20  # of a CSV field, a name, a description; a longer one is none
RECORD_CHARACTERS = 16 * 2**20  # of one CSV record with all its lines
DEPTH = 100  # levels of lists and structures in one record
NESTED = f"nested deeper than {DEPTH} levels"
LONG = f"a text of more than {FIELD_CHARACTERS >> 20} million characters"
GROWTH = 100  # times the bytes of its files that a source may unfold to
GROWTH_BYTES = 2**30  # and so much in any case


def too_deep(value: Any, levels: int = DEPTH) -> bool:
    """Is a value nested deeper than a page could show? What reads it again does so by recursion.

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
        unfolded: bytes that were read or written so far, or that a file says it holds.
        size: bytes of the files they come from.

    Raises:
        SourceError: it is more than the files can honestly hold.
    """
    if unfolded > max(GROWTH_BYTES, GROWTH * size):
        raise SourceError(
            f"{place} unfolds to {unfolded / 2**30:.1f} GB from {size / 2**20:.1f} MB, more than {GROWTH} times its size. "
            "It may be damaged, or made to fill memory or disk; look at what is in it."
        )


@contextmanager
def own_memory() -> Iterator[None]:
    """Bound the memory of this process, and turn running out of it into one line. For a process that only imports.

    Raises:
        SourceError: the import needs more than `Settings.import_bytes`.
    """
    most = settings().import_bytes
    with suppress(ValueError, OSError):  # a lower limit was set from outside, or this system has none
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    try:
        yield
    except MemoryError as error:  # also Arrow's
        raise SourceError(
            f"The import needs more memory than {most / 2**30:.1f} GB and was stopped; nothing was kept. "
            "A file in it may be damaged, or allow more with VITRINE_IMPORT_MB."
        ) from error
