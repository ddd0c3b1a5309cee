"""Supported dataset layouts. To add one, write a module and list it here."""

from __future__ import annotations

from core.errors import UsageError
from core.sources import (
    amazon,
    digikala,
    fashiongen,
    fashionproducts,
    folder,
    glami,
    huggingface,
    mep3m,
    table,
    webdataset,
)
from core.sources.reading import SourceSpec

SOURCES: tuple[SourceSpec, ...] = (
    glami.SPEC, mep3m.SPEC, table.SPEC, folder.SPEC, fashiongen.SPEC, fashionproducts.SPEC, amazon.SPEC,
    digikala.SPEC, huggingface.SPEC, webdataset.SPEC,
)  # fmt: skip


def source(name: str) -> SourceSpec:
    """Look up a layout by name.

    Raises:
        UsageError: there is none.
    """
    for spec in SOURCES:
        if spec.name == name:
            return spec
    raise UsageError(f"There is no source {name!r}. Sources: {', '.join(spec.name for spec in SOURCES)}.")
