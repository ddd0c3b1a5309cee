"""Correct labels in a dataset's table, and take a correction back.

The table is rewritten beside itself and renamed. The dataset gets another fingerprint, since it is another dataset for all
that was computed from labels; vectors, which depend on pictures and texts alone, are carried over. Taking the correction
back gives the old labels and the old fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.catalog.cohort import path_text
from core.catalog.info import DatasetInfo, info
from core.errors import StorageError, UsageError
from core.storage import alone, storage_errors

ROW_GROUP = 2_048  # as the import writes it
KEY = "corrections"  # in dataset.json


@dataclass(frozen=True)
class Correction:
    """One product's label."""

    row_id: int
    item_id: str | None
    image_id: str | None
    old: str  # as `path_text` gives them
    new: str


def applied(dataset: DatasetInfo) -> list[dict[str, Any]]:
    """The corrections that are in a dataset's labels now, the oldest first: {id, fingerprint (before), products}."""
    said = json.loads((dataset.folder / "dataset.json").read_text(encoding="utf-8"))
    return list(said.get(KEY, []))


def apply(name: str, patch: str, corrections: Sequence[Correction]) -> DatasetInfo:
    """Give these products their new labels.

    Args:
        patch: its id, under which it can be reverted.

    Raises:
        UsageError: it is applied already, a product is not as it was, or a new label is no class of the dataset; nothing
            was changed.
        StorageError: the folder cannot be written.
    """
    dataset = info(name)
    with alone(dataset.folder / ".corrections.lock", _busy(name)), storage_errors(dataset.folder):
        before = applied(dataset)
        if any(one["id"] == patch for one in before):
            raise UsageError(f"The corrections {patch} are in {name} already.")
        digest = hashlib.blake2b(f"{dataset.fingerprint}\n{patch}".encode(), digest_size=8)
        for one in sorted(corrections, key=lambda one: one.row_id):
            digest.update(f"\n{one.row_id}\t{one.old}\t{one.new}".encode())
        changes = {one.row_id: (one, one.old, one.new) for one in corrections}
        note = {"id": patch, "fingerprint": dataset.fingerprint, "products": len(changes)}
        _rewrite(dataset, changes, digest.hexdigest(), [*before, note])
    return info(name)


def revert(name: str, patch: str, corrections: Sequence[Correction]) -> DatasetInfo:
    """Take back what `apply` did; only the latest corrections can be taken back.

    Raises:
        UsageError: they are not the latest, or a product has another label by now; nothing was changed.
        StorageError: the folder cannot be written.
    """
    dataset = info(name)
    with alone(dataset.folder / ".corrections.lock", _busy(name)), storage_errors(dataset.folder):
        before = applied(dataset)
        if not any(one["id"] == patch for one in before):
            raise UsageError(f"The corrections {patch} are not in {name}.")
        if before[-1]["id"] != patch:
            raise UsageError(f"Other corrections came after {patch}: first revert {before[-1]['id']}.")
        changes = {one.row_id: (one, one.new, one.old) for one in corrections}
        _rewrite(dataset, changes, before[-1]["fingerprint"], before[:-1])
    return info(name)


def _busy(name: str) -> Callable[[str], Exception]:
    return lambda holder: StorageError(f"The labels of {name} are being corrected by {holder}. Try again.")


def _rewrite(
    dataset: DatasetInfo,
    changes: Mapping[int, tuple[Correction, str, str]],
    fingerprint: str,
    notes: list[dict[str, Any]],
) -> None:
    if not changes:
        raise UsageError("There is nothing to correct: nobody said which label is right instead.")
    path = dataset.folder / "products.parquet"
    labels = _labels(path, {new for _, _, new in changes.values()})
    new = path.with_suffix(".corrected")
    left = dict(changes)
    categories: set[tuple[str, ...]] = set()
    try:
        with pq.ParquetFile(path) as file, pq.ParquetWriter(
            new, file.schema_arrow, compression="zstd", compression_level=1, write_statistics=["row_id", "item_id", "image_id"]
        ) as writer:  # fmt: skip
            for number in range(file.num_row_groups):
                table = _corrected(file.read_row_group(number), left, labels)
                categories.update(tuple(one or ()) for one in table.column("category_path").to_pylist())
                writer.write_table(table, row_group_size=ROW_GROUP)
        if left:
            raise UsageError(
                f"{dataset.name} has no row {next(iter(left))}: these corrections are of another dataset."
            )
        described = json.loads((dataset.folder / "dataset.json").read_text(encoding="utf-8"))
        described |= {"fingerprint": fingerprint, KEY: notes, "categories": len(categories - {()})}
        card = dataset.folder / "dataset.json.corrected"
        card.write_text(json.dumps(described, ensure_ascii=False, indent=1), encoding="utf-8")
        for made in (new, card):
            with made.open("rb") as file_:
                os.fsync(file_.fileno())
        new.replace(path)
        card.replace(dataset.folder / "dataset.json")
    finally:
        new.unlink(missing_ok=True)
    _carry_vectors(dataset, fingerprint)


def _labels(path: Path, wanted: set[str]) -> dict[str, tuple[str | None, list[str], str | None]]:
    """Of each label its category, path and id, as the dataset has them.

    Raises:
        UsageError: no product has the label, or had it in a correction.
    """
    table = pq.read_table(path, columns=["category", "category_path", "category_id"])
    found: dict[str, tuple[str | None, list[str], str | None]] = {}
    for batch in table.to_batches(max_chunksize=65_536):
        paths = batch.column("category_path").to_pylist()
        for at, one in enumerate(paths):
            if one and (text := path_text(one)) in wanted and text not in found:
                found[text] = (
                    batch.column("category")[at].as_py(),
                    one,
                    batch.column("category_id")[at].as_py(),
                )
        if len(found) == len(wanted):
            break
    for label in sorted(wanted - set(found)):
        raise UsageError(f"No product has the label {label!r} any longer: nothing was changed.")
    return found


def _corrected(
    table: pa.Table,
    left: dict[int, tuple[Correction, str, str]],
    labels: Mapping[str, tuple[str | None, list[str], str | None]],
) -> pa.Table:
    """The row group with its corrections, which are taken out of `left`."""
    rows = table.column("row_id").to_pylist()
    here = [at for at, row in enumerate(rows) if row in left]
    if not here:
        return table
    columns = {
        name: table.column(name).to_pylist()
        for name in ("category", "category_path", "category_id", "item_id", "image_id")
    }
    for at in here:
        one, old, new = left.pop(rows[at])
        now = path_text(columns["category_path"][at] or ())
        if (columns["item_id"][at], columns["image_id"][at]) != (one.item_id, one.image_id) or now != old:
            raise UsageError(
                f"Row {one.row_id} is {columns['item_id'][at]!r} with the label {now!r}; expected {one.item_id!r} with "
                f"{old!r}. Nothing was changed."
            )
        columns["category"][at], columns["category_path"][at], columns["category_id"][at] = labels[new]
    for name in ("category", "category_path", "category_id"):
        place = table.schema.get_field_index(name)
        field = table.schema.field(name)
        table = table.set_column(place, field, pa.array(columns[name], field.type))
    return table


def _carry_vectors(dataset: DatasetInfo, fingerprint: str) -> None:
    """Vectors depend on no label: they are of the corrected dataset, too."""
    for path in sorted((dataset.folder / "embeddings").glob("*/encoder.json")):
        with suppress(OSError, ValueError):
            said = json.loads(path.read_text(encoding="utf-8"))
            if said.get("fingerprint") == dataset.fingerprint:
                new = path.with_suffix(".corrected")
                new.write_text(json.dumps(said | {"fingerprint": fingerprint}, indent=1), encoding="utf-8")
                new.replace(path)
