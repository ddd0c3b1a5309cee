"""Write the built-in dataset in the layout of the GLAMI-1M archive.

The same items and seed give the same bytes. Files are written under temporary names and renamed when complete.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from core.demo import pictures, structure, tree, words
from core.demo.pictures import Draw, Task
from core.demo.structure import Plan
from core.errors import StorageError, VitrineError

FOLDER = "GLAMI-1M-dataset"
COLUMNS = ("item_id", "image_id", "geo", "name", "description", "category", "category_name", "label_source")
STAMP = (2024, 1, 1, 0, 0, 0)  # of every member, so that the archive depends only on items and seed

Progress = Callable[[int, int], None]  # pictures done, total


def silent(done: int, total: int) -> None:
    """Report no progress."""


def write_glami(
    zip_path: Path,
    truth_path: Path,
    items: int,
    seed: int,
    progress: Progress = silent,
    draw: Draw | None = None,
) -> None:
    """Write a dataset of `items` rows as an archive in GLAMI's layout, and its ground truth as Parquet.

    Args:
        zip_path: the archive; an existing file is replaced.
        truth_path: one row per catalog row, train then test, as in the archive's CSV files; see
            docs/reference/demo-dataset.md. It is not part of the archive.
        items: number of rows, train and test together.
        seed: decides everything.
        progress: called with the number of pictures done and the total; its exceptions cancel.
        draw: draws a look, instead of Vitrine's own drawings; a top-level function of a module.

    Raises:
        UsageError: items or seed are out of range.
        StorageError: the files cannot be written.
    """
    structure.check(items, seed)
    plan = structure.plan(items, seed)
    with replacing(zip_path, truth_path) as (new_zip, new_truth):
        with zipfile.ZipFile(new_zip, "w", allowZip64=True) as archive:
            _write_pictures(archive, plan, progress, draw)
            for split in ("train", "test"):
                member = _member(f"{FOLDER}/GLAMI-1M-{split}.csv", zipfile.ZIP_DEFLATED)
                with archive.open(member, "w", force_zip64=True) as file:
                    for lines in csv_lines(plan, split):
                        file.write(lines)
        truth(plan).to_parquet(new_truth, index=False)


def csv_lines(plan: Plan, split: str) -> Iterator[bytes]:
    """Iterate over the CSV file of a split, a few rows at a time."""
    rows = plan.rows[plan.rows["split"] == split]
    yield (",".join(COLUMNS) + "\n").encode()
    for start in range(0, len(rows), 1_000):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        row: Any
        for row in rows.iloc[start : start + 1_000].itertuples():
            name, description = texts(plan, row)
            category = tree.leaves()[row.label].category_id
            writer.writerow(
                (row.item_id, row.image_id, row.geo, name, description, category, row.label, row.label_source)
            )
        yield text.getvalue().encode()


def texts(plan: Plan, row: Any) -> tuple[str, str]:
    """The name and the description of a row of the plan."""
    product = plan.products[row.product]
    name = words.name(product, row.text_in, random.Random(row.text_seed), row.omits_kind)
    if row.description_is == "usual":
        return name, words.description(product, row.text_in, random.Random(row.text_seed + 1))
    return name, name if row.description_is == "name" else ""


def truth(plan: Plan) -> pd.DataFrame:
    """The ground truth of every row, in the catalog's order; columns: docs/reference/demo-dataset.md."""
    rows = plan.rows
    looks = [plan.products[number].look for number in rows["product"]]
    labels = rows.groupby("image_id")["label"].transform("nunique")
    split_of = rows.drop_duplicates("image_id").set_index("image_id")["split"]
    copied = rows["duplicate_of"].map(split_of)
    return pd.DataFrame(
        {
            "split": rows["split"],
            "item_id": rows["item_id"],
            "image_id": rows["image_id"],
            "geo": rows["geo"],
            "category_name": rows["label"],
            "right_category_name": rows["kind"],
            "right_category": [tree.leaves()[kind].category_id for kind in rows["kind"]],
            "wrong_label": rows["wrong_label"],
            "label_kind": rows["label_kind"],
            "conflicting_labels": (labels > 1) & ~rows["unisex"],
            "unisex": rows["unisex"],
            "kind": [look.kind for look in looks],
            "colour": [look.colour for look in looks],
            "pattern": [look.pattern for look in looks],
            "material": [look.material for look in looks],
            "look_seed": [look.seed for look in looks],
            "brand": [plan.products[number].brand for number in rows["product"]],
            "duplicate": rows["duplicate"],
            "duplicate_of": rows["duplicate_of"].astype("Int64").mask(rows["duplicate_of"] < 0),
            "duplicate_across_splits": copied.notna() & (copied != rows["split"]),
            "text_language": [words.language_of(section) for section in rows["text_in"]],
            "language_differs": rows["text_in"] != rows["geo"],
            "omits_kind": rows["omits_kind"],
            "description_is": rows["description_is"],
            "text_of": rows["text_of"].astype("Int64").mask(rows["text_of"] < 0),
        }
    )


def _write_pictures(archive: zipfile.ZipFile, plan: Plan, progress: Progress, draw: Draw | None) -> None:
    shown = plan.rows.drop_duplicates("image_id").sort_values("image_id")
    total = len(shown)
    columns = zip(
        shown["product"], shown["duplicate_product"], shown["quality"], shown["duplicate"], strict=True
    )
    tasks = (_task(plan, *column) for column in columns)
    files = pictures.render_all(tasks, total, draw)
    with contextlib.closing(files):
        for done, (image_id, data) in enumerate(zip(shown["image_id"], files, strict=True), start=1):
            archive.writestr(_member(f"{FOLDER}/images/{image_id}.jpg", zipfile.ZIP_STORED), data)
            progress(done, total)


def _task(plan: Plan, number: int, original: int, quality: int, change: str) -> Task:
    """The picture to draw for a product; a near-duplicate is derived from its original's drawing."""
    own = plan.products[number].look
    if not change:
        return Task(own, quality)
    return Task(plan.products[original].look, quality, change, own.colour)


def _member(name: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, STAMP)
    info.compress_type = method
    info.create_system = 3  # Unix, on every system
    info.external_attr = 0o644 << 16
    return info


@contextlib.contextmanager
def replacing(*places: Path) -> Iterator[tuple[Path, ...]]:
    """Temporary paths, renamed to `places` at the end of the block, or deleted after an error.

    Raises:
        StorageError: the disk is full, or a folder cannot be written.
    """
    drafts = tuple(place.with_name(f".{place.name}.{os.getpid()}.part") for place in places)
    try:
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
        yield drafts
        for draft, place in zip(drafts, places, strict=True):
            draft.replace(place)
    except OSError as error:
        raise _storage_error(error, places[0]) from error
    finally:
        for draft in drafts:
            with contextlib.suppress(OSError):
                shutil.rmtree(draft) if draft.is_dir() else draft.unlink()


def _storage_error(error: OSError, place: Path) -> VitrineError:
    if error.errno == errno.ENOSPC:
        return StorageError(
            f"The disk is full: {place} could not be written. Free some space, or use fewer items."
        )
    return StorageError(f"{place} cannot be written: {error.strerror or error}.")
