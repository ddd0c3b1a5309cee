"""Thumbnails of products before their import."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core.catalog.preview import Preview
from core.errors import ImageError
from core.images.pictures import PictureFiles, Place, decode, shrink
from core.sources.archive import is_url
from core.sources.reading import Places


def thumbnails(preview: Preview, width_px: int = 96) -> list[str]:
    """A WebP as `data:` URL for each product; empty if its picture is missing, damaged or on the web."""
    places = _places(preview)
    files = PictureFiles(preview.pictures.archives, preview.pictures.root, Path("/"))
    found = []
    for product in preview.products:
        image = product["image"]
        try:
            if image in preview.payload:
                data = preview.payload[image]
            elif image in places:
                data = files.read_at(places[image])
            else:
                found.append("")
                continue
            picture = shrink(decode(data, width_px), width_px)
        except ImageError:
            found.append("")
            continue
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=75, method=2)
        found.append("data:image/webp;base64," + base64.b64encode(out.getvalue()).decode())
    return found


def _places(preview: Preview) -> dict[str, Place]:
    wanted = [row["image"] for row in preview.products if row["image"] and not is_url(row["image"])]
    where: Places = preview.pictures
    directory = where.directory() if callable(where.directory) else where.directory
    if directory is None:
        return {image: Place(image, None, None, None, None) for image in wanted}
    rows = directory.filter(pc.is_in(directory.column("image"), value_set=pa.array(wanted, pa.string())))
    found: dict[str, Place] = {}
    for row in rows.to_pylist():
        found.setdefault(
            row["image"], Place(row["image"], row["part"], row["offset"], row["size"], row["method"])
        )
    return found
