"""The datasets on this disk."""

from __future__ import annotations

from core.catalog import info as catalog
from core.catalog.info import DatasetInfo


def available() -> list[DatasetInfo]:
    """Read from the disk each time: another process may import or remove one."""
    return catalog.datasets()
