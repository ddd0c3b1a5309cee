"""The errors of a dataset's machine labels, estimated from its stored vectors and kept with it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.catalog.cohort import path_text
from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.embeddings.store import open_set, preferred, sets, unit
from core.errors import EmbeddingError, UsageError
from core.labels.machine_errors import REPEATS, machine_errors
from core.progress import Progress, no_progress
from core.storage import storage_errors

FILE = "machine_errors.json"
VERSION = 1
MOST = 30_000  # products that are read; of more, these are drawn


@dataclass(frozen=True)
class MachineReport:
    """What `estimate` keeps: JSON alone."""

    countries: list[dict[str, Any]]  # country, n, wrong, low, high; the last is of all, with country ""
    confused: list[
        dict[str, Any]
    ]  # machine, label, share (of the machine's labels of that class), n (expected products)
    human: int
    machine: int
    vectors: list[str]


def estimate(
    products: Products, repeats: int = REPEATS, seed: int = 0, progress: Progress = no_progress
) -> MachineReport:
    """Estimate from the training split, or all products without one, and keep the result with the dataset.

    Raises:
        EmbeddingError: the dataset has no vectors; the text says what to run.
        UsageError: it has no human or no machine labels.
    """
    info = products.info
    where = "WHERE split = 'train'" if "train" in info.splits else ""
    table = products.frame(
        f"SELECT row_id, geo, image_id, label_kind, category_path FROM cohort {where} ORDER BY row_id"  # noqa: S608
    )
    table = table[table.category_path.notna() & table.label_kind.isin(["human", "machine"])].reset_index(
        drop=True
    )
    if len(table) > MOST:
        drawn = np.sort(np.random.default_rng((seed, 3)).choice(len(table), MOST, replace=False))
        table = table.iloc[drawn].reset_index(drop=True)
    if table.empty:
        raise UsageError(f"{info.name} has no labels that say whether a person or a machine gave them.")
    labels = np.array([path_text(tuple(path)) for path in table.category_path], object)
    classes, codes = np.unique(labels.astype(str), return_inverse=True)
    features, names = _vectors(info, table.row_id.to_numpy(np.int64))
    there = np.abs(features).sum(axis=1) > 0
    progress(0, 0, "Comparing labels of machines with those of people")
    groups = [image or f"\0{row}" for image, row in zip(table.image_id, table.row_id, strict=True)]
    found = machine_errors(
        features[there], codes[there], (table.label_kind == "human").to_numpy()[there],
        [geo if isinstance(geo, str) else "" for geo in table.geo[there]], len(classes),
        [group for group, has in zip(groups, there, strict=True) if has], repeats, seed,
    )  # fmt: skip
    confused = [
        {"machine": str(classes[j]), "label": str(classes[i]), "share": n / int(found.counts[j]), "n": n}
        for j, i, n in found.confused()
    ]
    countries = [
        {"country": one.country, "n": one.n, "wrong": one.wrong, "low": one.low, "high": one.high}
        for one in (*found.countries, found.whole)
    ]
    made = MachineReport(countries, confused, found.human, int(found.counts.sum()), names)
    _keep(info, made)
    return made


def _vectors(info: DatasetInfo, rows: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(n, d) vectors of pictures and texts side by side, 0 where absent, and the names of their sets.

    Raises:
        EmbeddingError: there are none.
    """
    there = preferred(sets(info))
    towers = [next((name for name, said in there if said.tower == tower), "") for tower in ("image", "text")]
    names = [name for name in towers if name] or [name for name, _ in there[:1]]
    if not names:
        raise EmbeddingError(
            f"{info.name} has no vectors, by which labels are compared. Compute them: vitrine embed {info.name}"
        )
    used = [open_set(info, name) for name in names]
    parts = [unit(np.where(one.present[rows, None], one.vectors[rows], 0))[0] for one in used]
    return np.concatenate(parts, axis=1).astype(np.float32), names


def load(info: DatasetInfo) -> MachineReport | None:
    """What was kept; None where there is nothing, or it is of an earlier import."""
    try:
        said = json.loads((info.folder / FILE).read_text(encoding="utf-8"))
        if said.pop("version") != VERSION or said.pop("fingerprint") != info.fingerprint:
            return None
        made = MachineReport(**said)
        for row in made.countries:
            float(row["wrong"]), float(row["low"]), float(row["high"]), int(row["n"]), str(row["country"])
        return made
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _keep(info: DatasetInfo, made: MachineReport) -> None:
    temporary = info.folder / f".{FILE}.{os.getpid()}"
    with storage_errors(info.folder):
        said = {"version": VERSION, "fingerprint": info.fingerprint, **made.__dict__}
        temporary.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        temporary.replace(info.folder / FILE)
