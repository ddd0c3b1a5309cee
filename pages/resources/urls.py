"""Addresses of pictures, and of pages that show the same products."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo


def image_url(info: DatasetInfo, image_id: str | None, width_px: int) -> str:
    """Where the browser finds a picture; it may keep it for ever, since the address names the content."""
    path = quote(image_id or "none", safe="")
    return f"/images/{quote(info.name)}/{path}?w={width_px}&v={info.fingerprint}"


def cohort_url(page: str, cohort: Cohort, **more: str | list[str]) -> str:
    """A link to a page that shows the same products."""
    return f"{page}?{urlencode({**cohort.to_query(), **more}, doseq=True)}"
