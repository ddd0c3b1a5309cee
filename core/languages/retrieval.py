"""Search across languages, measured: does the name in one country find its twin among the products of another?

Of each ordered pair of countries, names of the first are queries, all products of the second in the same split are the
gallery, and what shows the same picture is right. The search is the one that people use (`core.search.query`): by words, by
likeness of pictures to the name, or by both.

Source of R@k: Karpathy and Fei-Fei 2015, arXiv:1412.2306.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import UsageError
from core.languages.pairs import country_pairs, order_of
from core.progress import Progress, no_progress
from core.search.query import HOWS, How, Part, Searcher
from core.storage import storage_errors

DEPTH = 10
MOST = 100  # queries of a pair of countries and split, a fixed random sample
FILE = "search.json"


@dataclass(frozen=True)
class Cell:
    """Of one ordered pair of countries; fractions."""

    source: str
    target: str
    how: How
    n: int  # queries
    gallery: float  # mean number of products searched
    r1: float
    r10: float


@dataclass(frozen=True)
class Measured:
    """A whole measurement."""

    fingerprint: str
    vectors: str
    cells: tuple[Cell, ...]

    def table(self, how: How, measure: str) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Countries, and (c, c) of `r1` or `r10`; NaN where nothing was asked."""
        countries = order_of([cell.source for cell in self.cells] + [cell.target for cell in self.cells])
        place = {geo: at for at, geo in enumerate(countries)}
        values = np.full((len(countries), len(countries)), np.nan)
        for cell in self.cells:
            if cell.how == how:
                values[place[cell.source], place[cell.target]] = getattr(cell, measure)
        return countries, values

    def mean(self, how: How) -> tuple[int, float, float, float]:
        """Queries, R@1 and R@10 over all queries, and R@10 that a random order would have."""
        cells = [cell for cell in self.cells if cell.how == how]
        n = np.array([cell.n for cell in cells])
        if not n.sum():
            return 0, float("nan"), float("nan"), float("nan")
        r1, r10, gallery = (
            np.array([getattr(cell, name) for cell in cells]) @ n / n.sum()
            for name in ("r1", "r10", "gallery")
        )
        return int(n.sum()), float(r1), float(r10), float(min(1.0, DEPTH / max(gallery, 1.0)))


def measure(
    searcher: Searcher,
    cohort: Cohort | None = None,
    hows: Sequence[How] = HOWS,
    most: int = MOST,
    progress: Progress = no_progress,
) -> Measured:
    """Ask for every twin.

    Args:
        most: queries of a pair of countries and split.

    Raises:
        UsageError: no picture is sold in two countries.
        EmbeddingError, ModelError: the vectors or their encoder are missing.
    """
    products = searcher.products
    pairs = country_pairs(products, cohort, column="name")
    pairs = pd.concat([pairs, pairs.rename(columns=_TURNED)[pairs.columns]], ignore_index=True)
    pairs = pairs[pairs["text_a"] != ""]
    if pairs.empty:
        raise UsageError(
            f"{products.info.name} has no picture that is sold in two countries and named: nothing to ask."
        )
    groups: list[Any] = list(pairs.groupby(["geo_a", "geo_b", "split"], sort=True))
    base = cohort or Cohort(products.info.name)
    masks: dict[tuple[str, str], NDArray[np.bool_]] = {}
    found: list[dict[str, object]] = []
    for done, ((source, target, split), group) in enumerate(groups):
        progress(done, len(groups), f"{source} to {target}")
        if (target, split) not in masks:
            masks[target, split] = products.mask(base.with_(geo=(target,), split=(split or "(none)",)))
        mask = masks[target, split]
        wanted = group.groupby("row_a")["row_b"].agg(set)
        if len(wanted) > most:
            wanted = wanted.sample(most, random_state=0)
        names: Any = group.drop_duplicates("row_a").set_index("row_a")["text_a"]
        for how in hows:
            for row, right in wanted.items():
                hits = searcher.search([Part("text", str(names[row]))], DEPTH, mask, how).hits
                rank = next((at for at, hit in enumerate(hits, 1) if hit.row_id in right), DEPTH + 1)
                found.append({
                    "source": source, "target": target, "how": how, "gallery": int(mask.sum()),
                    "r1": rank == 1, "r10": rank <= DEPTH,
                })  # fmt: skip
    frame = pd.DataFrame(found).groupby(["source", "target", "how"], as_index=False).agg(
        n=("r1", "size"), gallery=("gallery", "mean"), r1=("r1", "mean"), r10=("r10", "mean")
    )  # fmt: skip
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]  # its columns are the fields
    cells = tuple(Cell(**row) for row in records)
    return Measured(products.info.fingerprint, searcher.name or "", cells)


_TURNED = {
    "row_a": "row_b", "row_b": "row_a", "geo_a": "geo_b", "geo_b": "geo_a", "text_a": "text_b", "text_b": "text_a",
    "read_a": "read_b", "read_b": "read_a",
}  # fmt: skip


def save(info: DatasetInfo, measured: Measured) -> None:
    """Keep it with the dataset, for the page."""
    folder = info.folder / "languages"
    with storage_errors(info.folder):
        folder.mkdir(exist_ok=True)
        aside = folder / f".{FILE}.{os.getpid()}"
        aside.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")
        aside.replace(folder / FILE)


def load(info: DatasetInfo) -> Measured | None:
    """The measurement of the whole dataset that was kept; None without a current one."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((info.folder / "languages" / FILE).read_text(encoding="utf-8"))
        known = {field.name for field in fields(Cell)}
        cells = tuple(Cell(**{key: cell[key] for key in known}) for cell in said["cells"])
        if said["fingerprint"] == info.fingerprint:
            return Measured(said["fingerprint"], str(said["vectors"]), cells)
    return None
