"""Pictures in one folder a colour, without any text: the qualitative set of the incorrect-pairs paper."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import PurePosixPath

from core.errors import SourceError
from core.progress import Progress
from core.sources.archive import PICTURE_SUFFIXES
from core.sources.reading import (
    Collector,
    Folder,
    Found,
    Places,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    given,
    valid,
    walk,
)


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open the folder: its folders are colours, which become the categories; products have no name."""
    if len(paths) != 1:
        raise SourceError("digikala takes one path: the folder that holds one folder a colour.")
    root = given(paths[0], "folder")
    if not root.is_dir() or not any(child.is_dir() for child in root.iterdir()):
        raise SourceError(
            f"{root} holds no folders. Vitrine expects one folder a colour, with pictures in it."
        )
    warnings: list[str] = []
    collector, folder = Collector(options), Folder(root)

    def rows() -> Generator[None]:
        skipped = 0
        try:
            for done, relative in enumerate(walk(root)):
                path = PurePosixPath(relative)
                there = folder.look(relative)
                if there == "outside":
                    collector.reject(relative, "image path leaves its folder", relative)
                elif there == "missing" or path.suffix.lower() not in PICTURE_SUFFIXES or len(path.parts) < 2:
                    skipped += 1
                elif valid(relative) != relative:
                    collector.reject(relative, "file name is not UTF-8", repr(relative))
                else:
                    colour = path.parts[-2]
                    row = {"category": colour, "category_path": [colour], "extra": {"colour": colour}}
                    collector.add({"item_id": relative, "image_id": relative, "image": relative, **row})
                yield
                if done % 1_000 == 0:
                    progress(done, 0, "Reading folders")
        finally:
            if skipped:
                warnings.append(f"{skipped:,} files that are no pictures in a colour's folder were left out.")

    return Reading(batches_of(collector, rows()), Places(root=root), SPEC.licence, warnings, found=Found())


SPEC = SourceSpec(
    name="digikala",
    title="Digikala, pictures by colour",
    homepage="https://www.kaggle.com/datasets/masouduut94/digikala-color-classification",
    licence="unknown: ask its publisher",
    accepts="a folder with one folder of pictures a colour; products without texts",
    read=read,
)
