"""Samples of every category: pictures as small WebP within one bound of bytes, names where there is no picture."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field

from PIL import ImageOps

from core.catalog.cohort import Cohort, brief_paths
from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.errors import ImageError
from core.images.pictures import Pictures, decode, shrink
from core.progress import Progress

EACH, EACH_OF_FEW, FEW = (
    6,
    12,
    40,
)  # samples of a category, at most; where there are no more than FEW categories
CLASSES = 300  # categories that are shown, the largest
WIDTH_PX, HEIGHT_PX, QUALITY = 104, 132, 60
SQUARE_PX, SQUARE_OF_FEW_PX = (
    76,
    120,
)  # side of a sample, cut to a square; where there are no more than FEW categories
MOST_BYTES = 1_000_000  # of all pictures of a report together, as text
PICTURE_BYTES = 24_000  # of one
NAME_CHARACTERS = 90


@dataclass(frozen=True)
class Sample:
    """One product: its name, and its picture as a `data:` address, empty where there is none."""

    row_id: int
    image_id: str
    name: str
    picture: str = field(default="", repr=False)


@dataclass(frozen=True)
class ClassSamples:
    """A category with the number of its products; the path is empty for products without a category."""

    path: tuple[str, ...]
    name: str
    products: int
    samples: tuple[Sample, ...]


class Album:
    """Pictures of a dataset as `data:` addresses, until they take `MOST_BYTES` together."""

    def __init__(self, info: DatasetInfo, most_bytes: int = MOST_BYTES) -> None:
        self._pictures = Pictures(info)
        self._left = most_bytes
        self._made: dict[tuple[str, int], str] = {}
        self.broken = 0  # that could not be opened

    @property
    def full(self) -> bool:
        """Is there no room for another picture?"""
        return self._left <= 0

    def picture(self, image_id: str, square_px: int = 0) -> str:
        """A picture; empty where it cannot be opened, is on the web, or there is no room left.

        Args:
            square_px: side of the square that is cut from its middle; the whole picture otherwise.
        """
        if (image_id, square_px) in self._made:
            return self._made[image_id, square_px]
        if self.full:
            return ""
        place = self._pictures.places([image_id]).get(image_id)
        if place is None or self._pictures.is_remote(place):
            return ""
        try:
            whole = decode(self._pictures.read_at(place), square_px or WIDTH_PX)
        except ImageError:
            self.broken += 1
            return ""
        if square_px:
            small = ImageOps.fit(whole, (square_px, square_px))
        else:
            small = shrink(whole, WIDTH_PX, HEIGHT_PX)
        out = io.BytesIO()
        small.save(out, "WEBP", quality=QUALITY, method=4)
        if len(out.getvalue()) > PICTURE_BYTES:
            return ""
        text = "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()
        self._left -= len(text)
        self._made[image_id, square_px] = text
        return text


def class_samples(
    products: Products, cohort: Cohort, album: Album, progress: Progress
) -> tuple[list[ClassSamples], int]:
    """Samples of each category, the largest first: chosen by a hash of their place, the same each time.

    The pictures go round by round: the first of every category, then the second, until the album is full.

    Returns:
        The categories, and how many smaller ones were left out.
    """
    counted = sorted(_counts(products, cohort), key=lambda entry: (-entry[1], entry[0]))
    shown, more = counted[:CLASSES], max(0, len(counted) - CLASSES)
    few = len(shown) <= FEW
    each, side = (EACH_OF_FEW, SQUARE_OF_FEW_PX) if few else (EACH, SQUARE_PX)
    drawn = _drawn(products, cohort, each)
    rounds = (drawn.get(path, [])[n : n + 1] for n in range(each) for path, _ in shown)
    pictures: dict[int, str] = {}
    for done, samples in enumerate(rounds):
        progress(done, len(shown) * each, "Taking samples")
        pictures |= {one.row_id: album.picture(one.image_id, side) for one in samples if one.image_id}
    names = brief_paths([path for path, _ in shown])
    found = []
    for (path, count), name in zip(shown, names, strict=True):
        samples = [
            Sample(one.row_id, one.image_id, one.name, pictures.get(one.row_id, ""))
            for one in drawn.get(path, [])
        ]
        pictured = tuple(sample for sample in samples if sample.picture)
        found.append(
            ClassSamples(path, name if path else "no category", count, pictured or tuple(samples[:4]))
        )
    return found, more


def _counts(products: Products, cohort: Cohort) -> list[tuple[tuple[str, ...], int]]:
    found = products.table(
        "SELECT category_path AS path, count(*) AS n FROM cohort GROUP BY 1", cohort
    ).to_pylist()
    counts: dict[tuple[str, ...], int] = {}
    for row in found:
        path = tuple(row["path"] or ())
        counts[path] = counts.get(path, 0) + int(row["n"])
    return list(counts.items())


def _drawn(products: Products, cohort: Cohort, each: int) -> dict[tuple[str, ...], list[Sample]]:
    """Up to `each` products of each category, those with a picture first, no picture twice."""
    sql = f"""
        SELECT row_id, image_id, image, name, path FROM (
            SELECT *, row_number() OVER (PARTITION BY path ORDER BY image IS NULL, hash(row_id), row_id) AS place FROM (
                SELECT row_id, image_id, image, left(name, {NAME_CHARACTERS}) AS name, category_path AS path,
                       row_number() OVER (PARTITION BY category_path, image ORDER BY hash(row_id), row_id) AS again
                FROM cohort) WHERE again = 1 OR image IS NULL)
        WHERE place <= {int(each)} ORDER BY place"""  # noqa: S608 - two numbers of our own
    found: dict[tuple[str, ...], list[Sample]] = {}
    for row in products.table(sql, cohort).to_pylist():
        sample = Sample(
            int(row["row_id"]), str(row["image_id"] or "") if row["image"] else "", row["name"] or ""
        )
        found.setdefault(tuple(row["path"] or ()), []).append(sample)
    return found
