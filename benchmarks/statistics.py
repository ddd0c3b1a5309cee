"""Every statistic at GLAMI-1M's and MEP-3M's size, first and repeated, beside plain pandas.

    python -m benchmarks.statistics [--rows 1100000] [--rows 3000000] [--no-pandas]

Datasets are made once under VITRINE_HOME and used again. "First" is with nothing kept; "again" is a new process's
second question: from what was kept beside the dataset, or counted anew where that is as quick. pandas reads the
columns that it needs and does the same counting.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.synthetic import make
from core.catalog import info as catalog
from core.catalog.products import Products
from core.statistics import (
    columns,
    comparison,
    fits,
    hierarchy,
    label_sources,
    languages,
    long_tail,
    shift,
    text_length,
    words,
)
from core.statistics.cache import FOLDER
from core.statistics.display import Display
from core.statistics.overview import Make

Read = Callable[..., pd.DataFrame]


def by_split(read: Read, *by: str) -> pd.DataFrame:
    return read("split", *by).groupby([*by, "split"]).size().unstack(fill_value=0)


def p_columns(read: Read) -> object:
    frame = read(
        "split",
        "item_id",
        "image_id",
        "image",
        "geo",
        "language",
        "name",
        "description",
        "category",
        "category_id",
        "label_source",
        "label_kind",
    )
    return frame.groupby("split").agg(["nunique", "count"])


def p_repeats(read: Read) -> object:
    grouped = (
        read("image_id", "geo", "split")
        .groupby("image_id")
        .agg(n=("geo", "size"), geos=("geo", "nunique"), splits=("split", "nunique"))
    )
    return grouped.groupby(["n", "geos", "splits"]).size()


def p_fits(read: Read) -> object:
    return fits._fits.__wrapped__(
        np.sort(by_split(read, "category").sum(axis=1).to_numpy(float))[::-1].tobytes()
    )


def p_lengths(column: str) -> Callable[[Read], object]:
    def run(read: Read) -> object:
        frame = read("split", f"{column}_length")
        frame.groupby("split")[f"{column}_length"].describe()
        return frame.groupby(["split", f"{column}_length"]).size()

    return run


def p_words(column: str) -> Callable[[Read], object]:
    def run(read: Read) -> object:
        frame = read("split", column).dropna()
        return frame[column].str.split().str.len().groupby(frame["split"]).describe()

    return run


def p_repeated(read: Read) -> object:
    found = []
    for column in ("name", "description"):
        frame = read("split", column).dropna()
        grouped = frame.groupby(column)["split"]
        found.append((grouped.transform("size") > 1).groupby(frame["split"]).sum())
        found.append((grouped.transform("nunique") > 1).groupby(frame["split"]).sum())
    return found


def p_conflicts(read: Read) -> object:
    frame = read("image_id", "category", "label_source", "label_kind").dropna()
    many = frame.groupby("image_id")["category"].nunique()
    frame = frame[frame["image_id"].isin(many.index[many > 1])]
    return (
        frame.groupby("image_id")["category"].agg(lambda names: " | ".join(sorted(set(names)))).value_counts()
    )


def p_terms(read: Read) -> object:
    return read("name")["name"].dropna().str.lower().str.findall(r"[^\W\d_]+").explode().value_counts()


def p_totals(read: Read) -> object:
    frame = read("image_id", "name", "description", "language", "category")
    return (
        len(frame),
        frame["image_id"].nunique(),
        frame[["name", "description"]].drop_duplicates().shape,
        frame["category"].nunique(),
    )


STATISTICS: tuple[tuple[str, Make, Callable[[Read], object] | None], ...] = (
    ("columns", columns.contents, p_columns),
    ("shared pictures", columns.repeats, p_repeats),
    ("products per category", long_tail.per_category, lambda read: by_split(read, "category")),
    ("long tail and its shapes", long_tail.rank_frequency, p_fits),
    ("head, middle, tail", long_tail.balance, lambda read: by_split(read, "category")),
    ("countries by split", shift.distribution, lambda read: by_split(read, "geo")),
    ("categories by split", lambda p, c: shift.distribution(p, c, "category"), lambda read: by_split(read, "category")),
    ("every column by split", shift.every_column, lambda read: [by_split(read, column) for column in (
        "geo", "language", "category", "label_source", "label_kind", "name_length", "description_length")]),
    ("what moves in each country", shift.movers, lambda read: by_split(read, "geo", "category")),
    ("name length", lambda p, c: text_length.lengths(p, c, "name"), p_lengths("name")),
    ("description length", lambda p, c: text_length.lengths(p, c, "description"), p_lengths("description")),
    ("name length by country", text_length.lengths_by, lambda read: read("geo", "name_length").groupby("geo")["name_length"].describe()),
    ("words in names", lambda p, c: text_length.lengths(p, c, "name", "words"), p_words("name")),
    ("words in descriptions", lambda p, c: text_length.lengths(p, c, "description", "words"), p_words("description")),
    ("repeated and shared texts", text_length.repeated, p_repeated),
    ("language (sample)", languages.declared, None),
    ("label sources", label_sources.shares, lambda read: by_split(read, "label_source", "label_kind")),
    ("machine labels by category", label_sources.machine_by, lambda read: read("category", "label_kind").value_counts()),
    ("label sources by country", label_sources.crossed, lambda read: read("geo", "label_source").value_counts()),
    ("conflicting labels", label_sources.conflicts, p_conflicts),
    ("category tree", hierarchy.shape, lambda read: by_split(read, "category")),
    ("frequent words (sample)", words.frequent, p_terms),
    ("specific words (sample)", words.specific, None),
    ("beside other datasets", comparison.beside, p_totals),
)  # fmt: skip


def timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def measure(name: str, with_pandas: bool) -> None:
    info = catalog.info(name)
    shutil.rmtree(info.folder / FOLDER, ignore_errors=True)
    first, again = Products.open(name), Products.open(name)
    opened = timed(lambda: (first.count(), again.count()))
    print(f"\n{name}: {info.rows:,} products (both tables read for the filters in {opened:.1f} s)")
    print(f"{'statistic':<30}{'first s':>9}{'again s':>9}{'pandas s':>10}{'first x':>9}{'again x':>9}")

    def read(*wanted: str) -> pd.DataFrame:
        return pd.read_parquet(first.path, columns=list(wanted))

    slow = []
    for title, make_display, plain in STATISTICS:
        fits._fits.cache_clear()
        took = timed(lambda make=make_display: shown(make(first, None)))  # type: ignore[misc]
        repeated = min(timed(lambda make=make_display: shown(make(again, None))) for _ in range(3))  # type: ignore[misc]
        line = f"{title:<30}{took:>9.2f}{repeated:>9.2f}"
        if with_pandas and plain:
            by_pandas = timed(lambda plain=plain: plain(read))  # type: ignore[misc]
            line += f"{by_pandas:>10.2f}{by_pandas / took:>9.1f}{by_pandas / repeated:>9.1f}"
        print(line, flush=True)
        if repeated > (0.8 if info.rows > 2_000_000 else 0.3):
            slow.append(title)
    print("again slower than the design's figure:", ", ".join(slow) or "none")


def shown(display: Display) -> Display:
    assert not display.cannot, display.cannot
    return display


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, action="append", help="1,100,000 and 3,000,000 unless given")
    parser.add_argument("--no-pandas", action="store_true")
    chosen = parser.parse_args()
    for rows in chosen.rows or [1_100_000, 3_000_000]:
        name = f"synthetic-{rows}"
        if name not in {info.name for info in catalog.datasets()}:
            print(f"{name} made in {timed(lambda n=name, r=rows: make(n, r)):.0f} s")  # type: ignore[misc]
        measure(name, not chosen.no_pandas)


if __name__ == "__main__":
    main()
