"""Pictures sorted into one folder a class, with an optional level of splits above."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from core.errors import SourceError
from core.sources.archive import PICTURE_SUFFIXES
from core.sources.reading import (
    Collector,
    Folder,
    Places,
    Progress,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
    valid,
    walk,
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
    has_splits = all(name.lower() in SPLITS for name in children)
    warnings: list[str] = []
    collector = Collector(options)
    folder = Folder(root)

    def rows() -> Iterator[None]:
        skipped = 0
        for done, relative in enumerate(walk(root)):
            if done % 1_000 == 0:
                progress(done, 0, "Reading folders")
            path = PurePosixPath(relative)
            split, levels = None, list(path.parts[:-1])
            if has_splits and levels:
                split, levels = SPLITS[levels[0].lower()], levels[1:]
            there = folder.look(relative)
            if there == "outside":
                collector.reject(relative, "image path leaves its folder", relative)
            elif there == "missing" or path.suffix.lower() not in PICTURE_SUFFIXES or not levels:
                skipped += 1
            elif valid(relative) != relative:
                collector.reject(relative, "file name is not UTF-8", repr(relative))
            else:
                collector.add(
                    {
                        "item_id": relative,
                        "image_id": relative,
                        "split": split,
                        "name": path.stem,
                        "category": levels[-1],
                        "category_path": levels,
                        "image": relative,
                    }
                )
            yield
        if skipped:
            warnings.append(f"{skipped:,} files that are no pictures in a class folder were left out.")

    return Reading(batches_of(collector, rows()), Places(root=root), SPEC.licence, warnings)


SPEC = SourceSpec(
    name="folder",
    title="Folders of pictures",
    homepage="",
    licence="your own",
    accepts="one folder a class, with an optional train/validation/test level above",
    read=read,
)
