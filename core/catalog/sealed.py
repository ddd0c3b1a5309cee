"""Keep the labels of a split out of a dataset, for everybody, and give them back.

The dataset's table is rewritten without them and gets another fingerprint, so that whatever reads the dataset (pages, downloads,
panels, statistics) has nothing to show, and what was computed from the labels is outdated. The whole table lies beside it,
for the owner and for scoring.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.catalog.info import DatasetInfo, info
from core.errors import StorageError, UsageError
from core.storage import alone, storage_errors

KEY = "sealed"  # in dataset.json: {split, fingerprint (before)}
FOLDER = "sealed"  # of the dataset's
LABELS = ("category", "category_path", "category_id", "extra")  # `extra` may repeat a label under any name
WITH_LABELS = ("truth.parquet",)  # other files that tell them
ROW_GROUP = 2_048  # as the import writes it


def sealed_split(dataset: DatasetInfo) -> str:
    """The split whose labels are kept out; empty if none is."""
    return str(_described(dataset.folder).get(KEY, {}).get("split", ""))


def original(dataset: DatasetInfo) -> DatasetInfo:
    """The dataset with all its labels; itself where none are kept out."""
    said = _described(dataset.folder).get(KEY)
    if not said:
        return dataset
    return replace(dataset, fingerprint=str(said["fingerprint"]), folder=dataset.folder / FOLDER)


def seal(name: str, split: str) -> DatasetInfo:
    """Take the labels of a split out of a dataset.

    Raises:
        UsageError: it has no such split, or labels are kept out already.
        StorageError: the folder cannot be written.
    """
    dataset = info(name)
    with _alone(dataset), storage_errors(dataset.folder):
        said = _described(dataset.folder)
        if KEY in said:
            raise UsageError(f"The labels of {said[KEY]['split']} are kept out of {name} already.")
        if not dataset.splits.get(split):
            raise UsageError(f"{name} has no {split} split: {', '.join(dataset.splits) or 'none'}.")
        aside, folder = dataset.folder / f".{FOLDER}", dataset.folder / FOLDER
        _give_back(
            folder, dataset.folder
        )  # of a process that was killed in here: the only whole table is there
        for each in (aside, folder):
            shutil.rmtree(each, ignore_errors=True)
        aside.mkdir(mode=0o700)
        for file in ("products.parquet", "search.arrow", "name_rank.npy", "dataset.json"):
            shutil.copy2(dataset.folder / file, aside / file)
        new = dataset.folder / "products.parquet.sealed"
        categories = _without_labels(dataset.folder / "products.parquet", new, split)
        digest = hashlib.blake2b(f"{dataset.fingerprint}\nsealed\n{split}".encode(), digest_size=8)
        said |= {
            "fingerprint": digest.hexdigest(), "categories": categories,
            KEY: {"split": split, "fingerprint": dataset.fingerprint},
        }  # fmt: skip
        aside.rename(folder)
        new.replace(dataset.folder / "products.parquet")
        _write(dataset.folder, said)
        for file in WITH_LABELS:
            if (dataset.folder / file).exists():
                (dataset.folder / file).replace(folder / file)
        _carry_vectors(dataset.folder, dataset.fingerprint, digest.hexdigest())
    return info(name)


def unseal(name: str) -> DatasetInfo:
    """Give the labels back, and the fingerprint that the dataset had.

    Raises:
        UsageError: none are kept out.
        StorageError: the folder cannot be written.
    """
    dataset = info(name)
    with _alone(dataset), storage_errors(dataset.folder):
        said = _described(dataset.folder)
        if KEY not in said:
            raise UsageError(f"No labels are kept out of {name}.")
        folder = dataset.folder / FOLDER
        before = _described(folder)
        _give_back(folder, dataset.folder)
        _write(dataset.folder, before)
        _carry_vectors(dataset.folder, dataset.fingerprint, str(before["fingerprint"]))
        shutil.rmtree(folder, ignore_errors=True)
    return info(name)


def _give_back(folder: Path, dataset: Path) -> None:
    """Move the files that tell labels from the sealed folder, as far as they are there, back to the dataset's."""
    for file in ("products.parquet", *WITH_LABELS):
        if (folder / file).exists():
            (folder / file).replace(dataset / file)


def _alone(dataset: DatasetInfo) -> Any:
    return alone(
        dataset.folder / ".corrections.lock",
        lambda holder: StorageError(
            f"The labels of {dataset.name} are being changed by {holder}. Try again."
        ),
    )


def _without_labels(path: Path, new: Path, split: str) -> int:
    """Write the table without the labels of a split; the number of categories that are left."""
    left: set[tuple[str, ...]] = set()
    with pq.ParquetFile(path) as file, pq.ParquetWriter(
        new, file.schema_arrow, compression="zstd", compression_level=1, write_statistics=["row_id", "item_id", "image_id"]
    ) as writer:  # fmt: skip
        for number in range(file.num_row_groups):
            table = file.read_row_group(number)
            hidden = [each == split for each in table.column("split").to_pylist()]
            for name in LABELS:
                values = table.column(name).to_pylist()
                kept = [None if away else value for away, value in zip(hidden, values, strict=True)]
                if name == "category_path":
                    left.update(tuple(path) for path in kept if path)
                place, field = table.schema.get_field_index(name), table.schema.field(name)
                table = table.set_column(place, field, pa.array(kept, field.type))
            writer.write_table(table, row_group_size=ROW_GROUP)
    with new.open("rb") as written:
        os.fsync(written.fileno())
    return len(left)


def _described(folder: Path) -> dict[str, Any]:
    said = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return said if isinstance(said, dict) else {}


def _write(folder: Path, said: dict[str, Any]) -> None:
    card = folder / "dataset.json.sealed"
    card.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    card.replace(folder / "dataset.json")


def _carry_vectors(folder: Path, before: str, now: str) -> None:
    """Vectors depend on no label."""
    for path in sorted((folder / "embeddings").glob("*/encoder.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        if said.get("fingerprint") == before:
            new = path.with_suffix(".sealed")
            new.write_text(json.dumps(said | {"fingerprint": now}, indent=1), encoding="utf-8")
            new.replace(path)
