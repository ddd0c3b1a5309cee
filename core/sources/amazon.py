"""Amazon Review's product files: meta_*.json.gz of 2018, meta_*.jsonl.gz of 2023, one object a line.

Source: Ni, Li, McAuley, "Justifying recommendations using distantly-labeled reviews and fine-grained aspects",
EMNLP 2019 (the 2018 files); Hou et al., "Bridging language and items for retrieval and recommendation", 2024 (2023).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import SourceError
from core.progress import Progress
from core.sources.archive import PICTURE_SUFFIXES
from core.sources.bounds import check_growth
from core.sources.compressed import unfolding
from core.sources.delimited import Record
from core.sources.json_records import json_lines
from core.sources.reading import Reading, ReadOptions, SourceSpec, given
from core.sources.records import columns_reading

SUFFIXES = (".json.gz", ".jsonl.gz", ".json", ".jsonl")
SCRIPT = "getTime"  # of the page: the publishers say to leave out rows whose title holds it
LARGE = ("hi_res", "large", "thumb")  # of a picture, best first
COLUMNS = {"item_id": "id", "image_id": "id", "name": "title", "description": "text", "category": "path", "image": "picture"}  # fmt: skip
_TAG = re.compile(r"<[^<>]{0,500}>")
_SPACE = re.compile(r"[ \t\r\f\v]+")


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open metadata files of one or more categories, or a folder of them; pictures are taken from images/ beside the
    first file where they are there, else from the web."""
    files: list[Path] = []
    for path in paths:
        place = given(path, "Amazon metadata file or folder")
        found = sorted(file for file in place.iterdir() if _is_meta(file)) if place.is_dir() else [place]
        files += found
        if not found:
            raise SourceError(f"There is no meta_*.json.gz or meta_*.jsonl.gz in {place}.")
    root = files[0].parent
    here = _local_pictures(root)
    tables: list[tuple[Path, str | None]] = [(file, None) for file in files]
    return columns_reading(
        SPEC, root, tables, _records, lambda fields: _shape(fields, here), COLUMNS, options, progress
    )


def _is_meta(path: Path) -> bool:
    return path.name.lower().startswith("meta_") and path.name.lower().endswith(SUFFIXES) and path.is_file()


def _local_pictures(root: Path) -> dict[str, str]:
    """asin -> path below the root of a picture in images/."""
    folder = root / "images"
    if not folder.is_dir():
        return {}
    return {
        path.stem: f"images/{path.name}"
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES
    }


def _records(path: Path) -> Iterator[tuple[Record, int]]:
    size = path.stat().st_size
    with path.open("rb") as raw, unfolding(raw, path) as stream:
        for record in json_lines(stream, path.name):
            if stream is not raw:
                check_growth(stream.tell(), size, path.name)
            yield record, raw.tell()


def _shape(fields: dict[str, Any], here: dict[str, str]) -> dict[str, Any] | str:
    asin = fields.get("parent_asin") or fields.get("asin")
    if not isinstance(asin, str) or not asin.strip():
        return "no asin"
    title = plain(fields.get("title"))
    if SCRIPT in title:
        return "the title is a script of the page"
    used = {"title", "description", "category", "categories", "images", "imageURL", "imageURLHighRes", "imUrl",
            "image", "parent_asin", "asin"}  # fmt: skip
    rest = {
        key: value for key, value in fields.items() if key not in used and value not in (None, "", [], {})
    }
    pictures = _pictures(fields)
    row = {
        "id": asin,
        "title": title,
        "text": plain(fields.get("description")),
        "path": _path(fields),
        **rest,
    }
    if asin in here:
        row["picture"] = here[asin]
    elif pictures:
        row["picture"] = pictures[0]
    if len(pictures) > 1:
        row["pictures"] = pictures
    return row


def plain(value: Any) -> str:
    """A text without markup: lists are paragraphs, tags go, entities become their characters.

    >>> plain(["<b>Red&nbsp;shoes</b>", "size&amp;fit"])
    'Red shoes\\nsize&fit'
    """
    if isinstance(value, list):
        return "\n".join(filter(None, map(plain, value)))
    if not isinstance(value, str):
        return ""
    text = html.unescape(_TAG.sub(" ", value)).replace("\xa0", " ")
    return _SPACE.sub(" ", text).strip()


def _path(fields: dict[str, Any]) -> list[str]:
    """The category's levels: a list (2018, 2023), a list of lists (2014), or only the main category."""
    levels = fields.get("categories") or fields.get("category") or []
    if isinstance(levels, list) and levels and isinstance(levels[0], list):
        levels = levels[0]
    if isinstance(levels, str):
        levels = [levels]
    found = [plain(level) for level in levels if isinstance(level, str)]
    found = [level for level in found if level and len(level) <= 100]  # longer ones are advertisements
    main = plain(fields.get("main_category") or fields.get("main_cat"))
    return found or ([main] if main and len(main) <= 100 else [])


def _pictures(fields: dict[str, Any]) -> list[str]:
    """Addresses, the largest of each picture, the main one first."""
    images = fields.get("images")
    if isinstance(images, dict):  # of lists, as Hugging Face's copy has them
        sizes = [images.get(size) or [] for size in LARGE]
        longest = max(map(len, sizes), default=0)
        images = [
            {
                size: values[at] if at < len(values) else None
                for size, values in zip(LARGE, sizes, strict=True)
            }
            for at in range(longest)
        ]
    if isinstance(images, list) and images and isinstance(images[0], dict):
        images = sorted(images, key=lambda image: image.get("variant") not in (None, "MAIN"))
        found = [next((image[size] for size in LARGE if image.get(size)), None) for image in images]
    else:
        found = []
        for key in ("imageURLHighRes", "imageURL", "image", "imUrl"):
            value = fields.get(key)
            found = value if isinstance(value, list) else [value]
            if any(found):
                break
    return [
        address
        for address in found
        if isinstance(address, str) and address.startswith(("http://", "https://"))
    ]


SPEC = SourceSpec(
    name="amazon",
    title="Amazon Review, products",
    homepage="https://amazon-reviews-2023.github.io",
    licence="for research; the pictures belong to their shops",
    accepts="meta_*.json.gz (2018) or meta_*.jsonl.gz (2023), several of them, or their folder; pictures by URL or images/",
    read=read,
    citation="Ni, Li, McAuley: Justifying recommendations using distantly-labeled reviews and fine-grained aspects. "
    "EMNLP 2019. Hou et al.: Bridging language and items for retrieval and recommendation. arXiv:2403.03952.",
)
