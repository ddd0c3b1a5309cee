"""Pictures in one folder per class, with an optional level of splits above."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Generator, Sequence
from pathlib import Path, PurePosixPath

from core.errors import SourceError
from core.progress import Progress
from core.sources.archive import PICTURE_SUFFIXES
from core.sources.converter import SPLITS, RecordConverter
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
from core.sources.table import records
from core.sources.values import NO_CATEGORY

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_SHARD = re.compile(r"\d{5,}")


def read(  # noqa: C901 (one branch a layout)
    paths: Sequence[str], options: ReadOptions, progress: Progress, named: bool = True
) -> Reading:
    """Open a folder of class folders, whose levels are the category path. If `named`, files name their pictures.

    Also supported: a metadata file (imagefolder of `datasets`), shards of img2dataset, and pictures without class folders.
    """
    if len(paths) != 1:
        raise SourceError("folder takes one path.")
    root = given(paths[0], "folder")
    if not root.is_dir():
        raise SourceError(f"{root} is a file. For a table use the source `table`, for a GLAMI zip `glami`.")
    layout = _Layout(root, progress)
    if not layout.found and not any(child.is_dir() for child in root.iterdir()):
        raise SourceError(
            f"{root} has no folders and no pictures. Vitrine expects one folder per class, with pictures in it."
        )
    warnings: list[str] = []
    if layout.mixed and layout.others:
        warnings.append(
            f"The folders {', '.join(layout.mixed)} are named like splits, but other folders beside them have pictures "
            f"({', '.join(layout.others)[:100]}): all are read as categories."
        )
    columns: dict[str, str] = {}
    found = Found()
    collector = Collector(options)
    folder = Folder(root)

    def rows() -> Generator[None]:
        described: set[str] = set()
        converter = RecordConverter(collector, root, options, warnings)
        skipped = 0
        try:
            for table in layout.metadata:
                below = table.rpartition("/")[0]
                split, prefix = layout.split(below), f"{below}/" if below else ""
                for record, chosen, _ in records(root / table, options, warnings, found):
                    columns.update(chosen)
                    image = converter.add(record, chosen, f"{table}:", prefix, split)
                    if image is not None:
                        described.add(image)
                    yield
            for done, relative in enumerate(walk(root)):
                if done % 1_000 == 0:
                    progress(done, 0, "Reading folders")
                if relative in described or relative in layout.metadata:
                    continue
                path = PurePosixPath(relative)
                split, levels = layout.split(path.parent.as_posix()), layout.levels(path)
                there = folder.look(relative)
                name = layout.caption(root, path) if there == "file" else None
                if there == "outside":
                    collector.reject(relative, "image path leaves its folder", relative)
                elif there == "missing" or path.suffix.lower() not in PICTURE_SUFFIXES or levels is None:
                    if not (layout.shards and path.suffix.lower() in (".txt", ".json", ".parquet")):
                        skipped += 1
                elif valid(relative) != relative:
                    collector.reject(relative, "file name is not UTF-8", repr(relative))
                else:
                    levels = [unicodedata.normalize("NFC", level) for level in levels] or [NO_CATEGORY]
                    collector.add(
                        {
                            "item_id": relative,
                            "image_id": relative,
                            "split": split,
                            "name": name or (path.stem if named else None),
                            "category": levels[-1],
                            "category_path": levels,
                            "image": relative,
                        }
                    )
                yield
        finally:
            converter.finish()
            if skipped:
                warnings.append(f"{skipped:,} files that are not pictures in a class folder were skipped.")

    return Reading(
        batches_of(collector, rows()), Places(root=root), SPEC.licence, warnings, columns=columns, found=found
    )


class _Layout:
    """The layout of a folder, inferred from the folders that have pictures."""

    def __init__(self, root: Path, progress: Progress) -> None:
        self.metadata: list[str] = []
        folders: set[str] = set()  # with pictures or a metadata table
        depths: set[int] = set()
        shards, captions, self.found = True, False, 0
        for done, relative in enumerate(walk(root)):
            if done % 10_000 == 0:
                progress(done, 0, "Looking for pictures")
            name = relative.rpartition("/")[2]
            parts = relative.count("/")
            if name.lower() in METADATA:
                self.metadata.append(relative)
                folders.add(relative.rpartition("/")[0])
            ending = name[name.rfind(".") :].lower()
            captions = captions or (
                ending in (".txt", ".json") and _SHARD.fullmatch(name[: -len(ending)]) is not None
            )
            if ending in PICTURE_SUFFIXES:
                self.found += 1
                depths.add(parts)
                folders.add(relative.rpartition("/")[0])
                if parts:
                    parent = relative.rpartition("/")[0].rpartition("/")[2]
                    shards = shards and _SHARD.fullmatch(parent) is not None
        tops = {folder.partition("/")[0] for folder in folders if folder}
        self.mixed = sorted(top for top in tops if top.lower() in SPLITS)
        self.others = sorted(tops - set(self.mixed))
        self.above, self.has_splits = _splits([folder.split("/") for folder in folders if folder])
        self.shards = shards and captions
        self._described = [table.rpartition("/")[0] for table in self.metadata]
        self._flat = max(depths, default=0) <= self.above + int(self.has_splits and bool(depths - {0}))

    def split(self, below: str) -> str | None:
        """The split of the files in a folder."""
        parts = below.split("/")
        return SPLITS.get(parts[self.above].lower()) if self.has_splits and len(parts) > self.above else None

    def levels(self, path: PurePosixPath) -> list[str] | None:
        """The category path of a picture by its folders; None if it lies outside the class folders."""
        parent = path.parent.as_posix()
        if self.shards or any(
            not table or parent == table or parent.startswith(f"{table}/") for table in self._described
        ):
            return []
        levels = list(path.parts[:-1])
        if self.has_splits and levels:
            levels = levels[self.above + 1 :]
        return levels if levels or self._flat else None

    def caption(self, root: Path, path: PurePosixPath) -> str | None:
        """The caption that img2dataset stored beside a picture."""
        if not self.shards:
            return None
        for ending in (".txt", ".json"):
            beside = root / path.with_suffix(ending)
            try:
                if beside.is_symlink() or beside.stat().st_size > 2**20:
                    continue
                text = beside.read_text("utf-8", "replace")
                caption = text if ending == ".txt" else json.loads(text).get("caption")
            except (OSError, ValueError, AttributeError, RecursionError):
                continue
            if isinstance(caption, str) and caption.strip():
                return caption.replace("\0", "")
        return None


def _splits(folders: list[list[str]]) -> tuple[int, bool]:
    """(number of levels above the splits, whether there are splits); the splits may lie inside one common folder.

    >>> _splits([["data", "train", "shoes"], ["data", "test", "shoes"]]), _splits([["train"], ["extra"]])
    ((1, True), (0, False))
    """
    for above in range(min(map(len, folders), default=0)):
        names = {folder[above] for folder in folders}
        if all(name.lower() in SPLITS for name in names):
            return above, True
        if len(names) > 1:
            break
    return 0, False


SPEC = SourceSpec(
    name="folder",
    title="Folders of pictures",
    homepage="",
    licence="your own",
    accepts="one folder per class, with an optional train/validation/test level above; metadata.csv; img2dataset",
    read=read,
)
