"""Pictures sorted into one folder a class, with an optional level of splits above."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import SourceError
from core.sources.archive import PICTURE_SUFFIXES
from core.sources.reading import (
    Collector,
    Places,
    Progress,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
)
from core.sources.table import SPLITS


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open a folder of class folders; deeper folders become levels of the category path."""
    if len(paths) != 1:
        raise SourceError("folder takes one path.")
    root = existing(paths[0], "folder")
    if not root.is_dir():
        raise SourceError(f"{root} is a file. For a table use the source `table`, for a GLAMI zip `glami`.")
    children = [child.name for child in root.iterdir() if child.is_dir() and not child.name.startswith(".")]
    if not children:
        raise SourceError(
            f"{root} holds no folders. Vitrine expects one folder a class, with pictures in it."
        )
    has_splits = bool(children) and all(name.lower() in SPLITS for name in children)
    warnings: list[str] = []
    collector = Collector(options)

    def rows() -> Iterator[None]:
        skipped = 0
        for done, relative in enumerate(_files(root)):
            if done % 1_000 == 0:
                progress(done, 0, "Reading folders")
            split, levels = None, list(relative.parts[:-1])
            if has_splits:
                split, levels = SPLITS[levels[0].lower()], levels[1:]
            if relative.suffix.lower() not in PICTURE_SUFFIXES or not levels:
                skipped += 1
                continue
            try:
                relative.as_posix().encode()
            except UnicodeEncodeError:
                collector.reject(repr(str(relative)), "file name is not UTF-8", repr(str(relative)))
                yield
                continue
            if not (root / relative).resolve().is_relative_to(root):
                collector.reject(relative.as_posix(), "image path leaves its folder", relative.as_posix())
                yield
                continue
            identifier = relative.as_posix()
            collector.add(
                {
                    "item_id": identifier,
                    "image_id": identifier,
                    "split": split,
                    "name": relative.stem,
                    "category": levels[-1],
                    "category_path": levels,
                    "image": identifier,
                }
            )
            yield
        if skipped:
            warnings.append(f"{skipped:,} files that are no pictures in a class folder were left out.")

    return Reading(batches_of(collector, rows()), Places(root=root), SPEC.licence, warnings)


def _files(root: Path) -> Iterator[Path]:
    """Every file below the root, in a fixed order."""
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(root)


SPEC = SourceSpec(
    name="folder",
    title="Folders of pictures",
    homepage="",
    licence="your own",
    accepts="one folder a class, with an optional train/validation/test level above",
    read=read,
)
