"""A dataset of the Hugging Face hub, downloaded: Parquet shards with image structs and class names, or an imagefolder
with metadata.csv, metadata.jsonl or metadata.parquet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import SourceError
from core.progress import Progress
from core.sources import folder, table
from core.sources.reading import Reading, ReadOptions, SourceSpec, given

CARD_BYTES = 2**20
_LICENCE = re.compile(r"^license:\s*(\S.{0,80}?)\s*$", re.MULTILINE)


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open the repository's folder, or its snapshot in the hub's cache."""
    if len(paths) != 1:
        raise SourceError("huggingface takes one path: the folder of a downloaded dataset.")
    root = given(paths[0], "folder of a dataset")
    if not root.is_dir():
        raise SourceError(f"{root} is a file. For a single table use the source `table`.")
    parquet = any(path.is_file() for path in root.glob("*.parquet")) or any(root.glob("*/*.parquet"))
    metadata = any(path.name.lower() in folder.METADATA for path in root.glob("**/metadata.*"))
    reading = (table if parquet and not metadata else folder).read(paths, options, progress)
    return replace(reading, licence=_licence(root) or SPEC.licence)


def _licence(root: Path) -> str:
    """What the dataset's card says between its dashes."""
    card = root / "README.md"
    try:
        with card.open(encoding="utf-8", errors="replace") as file:
            head = file.read(CARD_BYTES)
    except OSError:
        return ""
    parts = head.split("---", 2)
    found = _LICENCE.search(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    return found[1].strip("'\"") if found else ""


SPEC = SourceSpec(
    name="huggingface",
    title="A dataset of the Hugging Face hub",
    homepage="https://huggingface.co/docs/datasets/image_dataset",
    licence="what its card says",
    accepts="the downloaded folder: Parquet shards with pictures in them, or pictures with metadata.csv or .jsonl",
    read=read,
)
