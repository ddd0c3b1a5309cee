"""Decisions on sub-classes, applied as a new dataset: the merged tree, each product with the label it had before.

The sources are not changed, the decisions stay in the log of answers and in the new dataset's alignment.json, and `extra`
keeps the old label: removing the new dataset takes everything back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.catalog.build import BuildReport, write_dataset
from core.catalog.info import DatasetInfo, info
from core.errors import StorageError, UsageError
from core.labels.alignment import Alignment
from core.labels.decisions import Decided, exported
from core.labels.similarity import normal
from core.labels.subclasses import SubClass
from core.progress import Progress, no_progress
from core.schema import FROM_SOURCE, PICTURES, PRODUCTS, REJECTED
from core.sources.reading import Batch, Places, Reading

BATCH = 32_768  # rows
FILE = "alignment.json"
BEFORE, FROM = "label_before_alignment", "dataset_before_alignment"  # in `extra`
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Tree:
    """Where each sub-class is after the merge."""

    path_of: Mapping[Key, tuple[str, ...]]  # its class of the first level, its parents, its name
    merged: int  # sub-classes that became part of another
    moved: int  # that have another path now

    @property
    def classes(self) -> int:
        """Sub-classes after the merge."""
        return len(set(self.path_of.values()))


def tree(found: Alignment, decided: Mapping[int, Decided]) -> Tree:
    """The tree that the decisions give. Sub-classes of equal names in one first-level class are one, as published, unless
    somebody said "not the same".

    Raises:
        UsageError: decisions contradict each other.
    """
    subs = {sub.key: sub for sub in found.classes}
    root = _groups(found, decided, subs)
    members: dict[Key, list[SubClass]] = {}
    for key, sub in subs.items():
        members.setdefault(root[key], []).append(sub)
    names = _names(decided.values(), root, members)
    parent = _parents(decided.values(), root, names)
    spelled: dict[str, str] = {}
    for sub in found.classes:  # a first level that differs in case or width alone is spelled as it came first
        spelled.setdefault(normal(sub.first), sub.first)
    paths = {}
    for key in subs:
        chain: list[str] = []
        at: Key | None = root[key]
        top = ""
        while at is not None:
            chain.append(names[at])
            top = spelled[normal(members[at][0].first)]
            at = parent.get(at)
        paths[key] = (*([top] if top else []), *reversed(chain))
    moved = sum(paths[key] != (*([sub.first] if sub.first else []), sub.name) for key, sub in subs.items())
    return Tree(paths, len(subs) - len(members), moved)


def _groups(found: Alignment, decided: Mapping[int, Decided], subs: Mapping[Key, SubClass]) -> dict[Key, Key]:
    """Of each sub-class the one that stands for its group."""
    root = {key: key for key in subs}

    def top(key: Key) -> Key:
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    for pair in found.pairs:
        said = decided.get(pair.item)
        if (said and said.answer in ("same", "name")) or (not said and pair.equal):
            root[top(pair.b.key)] = top(pair.a.key)
    for one in decided.values():
        if one.answer not in ("same", "name") and top(one.a) == top(one.b):
            raise UsageError(
                f"“{one.a[2]}” ({one.a[0]}) and “{one.b[2]}” ({one.b[0]}) became one by other decisions, but somebody decided "
                f"on this pair: {one.answer}. Change one of these decisions."
            )
    return {key: top(key) for key in subs}


def _names(
    decided: Any, root: Mapping[Key, Key], members: Mapping[Key, Sequence[SubClass]]
) -> dict[Key, str]:
    """A group's new name, else that of its sub-class with the most products; two groups never share a path."""
    given: dict[Key, set[str]] = {}
    for one in decided:
        if one.answer == "name":
            given.setdefault(root[one.a], set()).add(one.name)
    names = {}
    used: dict[tuple[str, str], Key] = {}
    for key, group in members.items():
        new = given.get(key, set())
        if len(new) > 1:
            raise UsageError(f"One merged sub-class has several new names: {', '.join(sorted(new))}.")
        largest = max(group, key=lambda sub: sub.products)
        name, first = next(iter(new)) if new else largest.name, normal(group[0].first)
        while (first, name) in used:
            name = f"{name} ({largest.source})" if largest.source not in name else f"{name} 2"
        used[first, name] = key
        names[key] = name
    return names


def _parents(decided: Any, root: Mapping[Key, Key], names: Mapping[Key, str]) -> dict[Key, Key]:
    parent: dict[Key, Key] = {}
    for one in decided:
        if one.answer not in ("parent", "child"):
            continue
        above, below = (one.a, one.b) if one.answer == "parent" else (one.b, one.a)
        above, below = root[above], root[below]
        if parent.get(below, above) != above:
            raise UsageError(
                f"“{names[below]}” has two parents: “{names[parent[below]]}” and “{names[above]}”. Change one of these decisions."
            )
        parent[below] = above
        at, steps = above, 0
        while at in parent and steps <= len(parent):
            at, steps = parent[at], steps + 1
        if steps > len(parent):
            raise UsageError(f"“{names[below]}” would be its own parent. Change one of these decisions.")
    return parent


def apply(
    found: Alignment, decided: Mapping[int, Decided], name: str, progress: Progress = no_progress
) -> BuildReport:
    """Write the merged dataset.

    Raises:
        UsageError: the name is invalid, or decisions contradict each other.
        DatasetExistsError: the name is taken.
        StorageError: the folder cannot be written, or a source changed meanwhile.
    """
    made = tree(found, decided)
    sources = [info(one) for one in found.datasets]
    if tuple(one.fingerprint for one in sources) != found.fingerprints:
        raise StorageError("A dataset was changed after it was compared. Compare again.")
    base = _base(sources)
    archives = [_archives(one) for one in sources]
    starts = [sum(map(len, archives[:at])) for at in range(len(sources))]
    licences = list(dict.fromkeys(one.licence for one in sources if one.licence))
    reading = Reading(
        _batches(found, made, sources, base, progress),
        Places(
            tuple(place for some in archives for place in some),
            pa.concat_tables(
                [_directory(one, start, len(sources) > 1) for one, start in zip(sources, starts, strict=True)]
            ),
            base,
        ),
        "; ".join(licences),
        [f"Aligned from {' and '.join(found.datasets)}, whose pictures it reads: keep them."],
    )
    note = json.dumps(exported(found), ensure_ascii=False, indent=1)
    return write_dataset(name, "alignment", reading, progress, {FILE: note})


def _base(sources: Sequence[DatasetInfo]) -> Path | None:
    """The folder that all paths of pictures start from."""
    roots = [str(root) for one in sources if (root := _root(one))]
    return Path(os.path.commonpath(roots)) if roots else None


def _root(dataset: DatasetInfo) -> Path | None:
    root = dataset.pictures.get("root")
    return (dataset.folder / root).resolve() if root else None


def _archives(dataset: DatasetInfo) -> list[str]:
    return [
        one if "://" in one else str(dataset.folder / one) for one in dataset.pictures.get("archives", ())
    ]


def _directory(dataset: DatasetInfo, start: int, several: bool) -> pa.Table:
    """Where the pictures are that are in archives."""
    table = pq.read_table(dataset.folder / "pictures.parquet")
    table = table.filter(pc.is_valid(table.column("part")))
    part = pc.cast(pc.add(table.column("part"), start), pa.int16())
    table = table.set_column(table.schema.get_field_index("part"), PICTURES.field("part"), part)
    if several:  # members of two archives may have one name
        image = pc.binary_join_element_wise(dataset.name, table.column("image"), "/")
        table = table.set_column(table.schema.get_field_index("image"), PICTURES.field("image"), image)
    return table.cast(PICTURES)


def _batches(
    found: Alignment, made: Tree, sources: Sequence[DatasetInfo], base: Path | None, progress: Progress
) -> Iterator[Batch]:
    total, done, several = sum(one.rows for one in sources), 0, len(sources) > 1
    schema = pa.schema([PRODUCTS.field(name) for name in FROM_SOURCE])
    for dataset in sources:
        root = _root(dataset)
        below = f"{root.relative_to(base).as_posix()}/" if root and base and root != base else ""
        held = set(_directory(dataset, 0, False).column("image").to_pylist())
        with pq.ParquetFile(dataset.folder / "products.parquet") as file:
            for batch in file.iter_batches(BATCH, columns=FROM_SOURCE):
                rows = batch.to_pylist()
                for row in rows:
                    _relabel(row, made, found.by, dataset.name, several)
                    if row["image"] in held:
                        row["image"] = f"{dataset.name}/{row['image']}" if several else row["image"]
                    elif row["image"] and "://" not in row["image"]:
                        row["image"] = below + row["image"]
                done += len(rows)
                progress(done, total, "Writing products")
                yield Batch(pa.Table.from_pylist(rows, schema=schema), REJECTED.empty_table())


def _relabel(row: dict[str, Any], made: Tree, by: str, dataset: str, several: bool) -> None:
    """Give a product its new path; the old one goes to `extra`."""
    old, number = list(row["category_path"] or ()), row["category_id"]
    if old:
        source = str(row[by] or "unknown") if by else dataset
        first, sub, rest = (old[0], old[1], old[2:]) if len(old) > 1 else ("", old[0], [])
        row["category_path"] = [*made.path_of[source, first, sub], *rest]
        row["category"] = row["category_path"][-1]
        if several or row["category_path"] != old:
            row["category_id"] = None  # a number of one source means something else in the other
    extra = _extra(row["extra"]) | {BEFORE: old, "category_id_before_alignment": number, FROM: dataset}
    row["extra"] = json.dumps(extra, ensure_ascii=False)
    if several and row["image_id"] is not None:  # two datasets may number their pictures alike
        row["image_id"] = f"{dataset}/{row['image_id']}"


def _extra(text: str | None) -> dict[str, Any]:
    try:
        said = json.loads(text or "{}")
    except ValueError:
        said = text
    return said if isinstance(said, dict) else {"extra": said}
