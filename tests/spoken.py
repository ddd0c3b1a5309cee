"""Datasets of several languages without pictures, imported within a second."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.demo import archive, structure

ROWS = (  # one picture in four countries, one in two, one repeated in a country
    ("p1", "cz", "Pánská bunda", "Bunda pro muže, která hřeje. Lze prát v pračce.", "train"),
    ("p1", "sk", "Pánska bunda", "Bunda pre mužov, ktorá hreje. Možno prať v práčke.", "train"),
    ("p1", "hu", "Férfi kabát", "", "train"),
    ("p1", "es", "Chaqueta", "The jacket is for men, and it can be washed with the other clothes.", "train"),
    ("p2", "cz", "Šaty", "Dámské šaty s krátkým rukávem.", "test"),
    ("p2", "sk", "Šaty", "Dámské šaty  s krátkým RUKÁVEM.", "test"),
    ("p3", "cz", "Boty", "Boty na každý den, které jsou pohodlné.", "train"),
    ("p3", "cz", "Boty", "Boty na každý den, které jsou měkké.", "train"),
    ("p3", "sk", "Topánky", "Topánky na každý deň, ktoré sú pohodlné.", "train"),
    ("p3", "sk", "Topánky", "Topánky, ktoré sú pohodlné.", "test"),
    ("p4", "cz", "Čepice", "Čepice z bavlny.", "train"),
)


def told(folder: Path, rows: Sequence[tuple[str, str, str, str, str]] = ROWS, name: str = "told") -> Products:
    """A dataset of these rows."""
    columns = ["image_id", "geo", "name", "description", "split"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(0, "item_id", [f"i{number}" for number in range(len(frame))])
    return _imported(folder, frame, name)


def built_in(folder: Path, items: int, seed: int = 0, name: str = "built-in") -> Products:
    """The built-in dataset without its pictures."""
    plan = structure.plan(items, seed)
    frames = []
    for split in ("train", "test"):
        lines = b"".join(archive.csv_lines(plan, split)).decode()
        frames.append(pd.read_csv(io.StringIO(lines), dtype=str, keep_default_na=False).assign(split=split))
    return _imported(folder, pd.concat(frames).drop(columns="category"), name)


def _imported(folder: Path, frame: pd.DataFrame, name: str) -> Products:
    path = folder / f"{name}.csv"
    frame.to_csv(path, index=False)
    import_dataset("table", [str(path)], name)
    return Products.open(name)
