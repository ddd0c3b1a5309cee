"""How long Vitrine takes to import and to browse an archive of GLAMI-1M's size, beside plain pandas.

    python -m benchmarks.catalog [--rows 1100000] [--dir FOLDER] [--keep]

Each part runs in a process of its own, whose greatest memory is told. A query is all that one Browse screen
asks: the count, a page of 24, the facets of split, country, label source and kind, and the categories.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import glami_shaped
from core.catalog.cohort import Cohort

PROJECT = Path(__file__).resolve().parent.parent
FACETS = ("split", "geo", "label_source", "label_kind")
ORDERS = ("dataset", "name", "category", "shortest", "longest", "shuffle")
NAME = "shaped"


def questions(count: int, words: list[str], seed: int = 0) -> list[dict[str, Any]]:
    """Random screens: filters, an order, and a page that is the first, a near or a far one."""
    rng = random.Random(seed)

    def some(share: float, values: tuple[str, ...], most: int) -> list[str]:
        return rng.sample(values, rng.randint(1, most)) if rng.random() < share else []

    categories = tuple(f"category-{number:03}" for number in range(191))
    return [
        {
            "split": some(0.3, ("train", "test"), 1),
            "geo": some(0.5, glami_shaped.GEOS, 3),
            "label_source": some(0.2, ("custom-tag", "admin", "unknown"), 2),
            "label_kind": some(0.2, ("human", "machine"), 1),
            "category": some(0.4, categories, 3),
            "text": " ".join(rng.sample(words, rng.randint(1, 2))) if rng.random() < 0.4 else "",
            "order": rng.choice(ORDERS),
            "seed": rng.randrange(1_000),
            "depth": rng.choice((0.0, 0.0, 0.01, 0.5, 1.0)),
        }
        for _ in range(count)
    ]


def browse_with_vitrine(asked: list[dict[str, Any]], _: Path) -> Iterator[int]:
    from core.catalog.products import Products

    products = Products.open(NAME)
    yield len(products)
    for question in asked:
        chosen = {column: tuple(question[column]) for column in FACETS}
        category = tuple((label,) for label in question["category"])
        cohort = Cohort(NAME, category=category, text=question["text"], **chosen)
        count = products.count(cohort)
        offset = int(question["depth"] * max(0, count - 24))
        products.rows(cohort, question["order"], question["seed"], offset)
        for column in FACETS:
            products.facet(column, cohort)
        products.categories(cohort)
        yield count


def browse_with_pandas(asked: list[dict[str, Any]], archive: Path) -> Iterator[int]:
    import pandas as pd

    human = ("admin", "quality-check", "custom-tag")
    with zipfile.ZipFile(archive) as zipped:
        tables = [
            pd.read_csv(zipped.open(f"GLAMI-1M-dataset/GLAMI-1M-{split}.csv"), keep_default_na=False).assign(
                split=split
            )
            for split in ("train", "test")
        ]
    table = pd.concat(tables, ignore_index=True)
    table["label_source"] = table["label_source"].replace("", "unknown")
    table["label_kind"] = np.where(table["label_source"].isin(human), "human", "machine")
    yield len(table)
    for question in asked:
        masks = {column: table[column].isin(question[column]) for column in FACETS if question[column]}
        if question["category"]:
            masks["category"] = table["category_name"].isin(question["category"])
        for word in question["text"].split():
            found = [
                table[column].str.lower().str.contains(word, regex=False)
                for column in ("name", "description")
            ]
            masks[word] = found[0] | found[1]

        def chosen(masks: dict[str, Any] = masks, without: str = "") -> Any:
            kept = [mask.to_numpy(bool) for name, mask in masks.items() if name != without]
            return table[np.logical_and.reduce(kept)] if kept else table

        cohort = chosen()
        offset = int(question["depth"] * max(0, len(cohort) - 24))
        _in_order(cohort, question).iloc[offset : offset + 24].to_dict("records")
        for column in FACETS:
            chosen(without=column)[column].value_counts()
        chosen(without="category")["category_name"].value_counts()
        yield len(cohort)


def _in_order(cohort: Any, question: dict[str, Any]) -> Any:
    order = question["order"]
    if order == "shuffle":
        return cohort.sample(frac=1, random_state=question["seed"])
    if order == "name":
        return cohort.sort_values("name", kind="stable")
    if order == "category":
        return cohort.sort_values("category_name", kind="stable")
    if order in ("shortest", "longest"):
        lengths = cohort["name"].str.len() + cohort["description"].str.len()
        return cohort.loc[lengths.sort_values(ascending=order == "shortest", kind="stable").index]
    return cohort


def _import(archive: Path) -> dict[str, Any]:
    from core.catalog.build import import_dataset

    report = import_dataset("glami", [str(archive)], NAME)
    return {"rows": report.rows}


def _browse(
    archive: Path, queries: int, how: Callable[[list[dict[str, Any]], Path], Iterator[int]]
) -> dict[str, Any]:
    asked = questions(queries, glami_shaped.common_words())
    answers, times = how(asked, archive), []
    started = time.perf_counter()
    next(answers)
    opened = time.perf_counter() - started
    counts = []
    for _ in asked:
        started, busy = time.perf_counter(), time.process_time()
        counts.append(next(answers))
        times.append((time.perf_counter() - started, time.process_time() - busy))
    return {"open_s": opened, "counts": counts, "times": times}


def _generate(archive: Path, rows: int) -> dict[str, Any]:
    glami_shaped.write(archive, rows)
    return {}


STEPS: dict[str, Callable[[Path, int], dict[str, Any]]] = {  # each with a number: of rows or of queries
    "generate": _generate,
    "import": lambda archive, _: _import(archive),
    "vitrine": lambda archive, queries: _browse(archive, queries, browse_with_vitrine),
    "pandas": lambda archive, queries: _browse(archive, queries, browse_with_pandas),
}


def _in_own_process(step: str, archive: Path, home: Path, queries: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.catalog",
        "--step",
        step,
        "--archive",
        str(archive),
        "--queries",
        str(queries),
    ]
    run = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "VITRINE_HOME": str(home)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(json.loads(run.stdout))


def _run_step(step: str, archive: Path, queries: int) -> None:
    started = time.perf_counter()
    result = STEPS[step](archive, queries)
    used = resource.getrusage(resource.RUSAGE_SELF)
    result |= {
        "seconds": time.perf_counter() - started,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    print(json.dumps(result))


@contextmanager
def _folder(given: Path | None, keep: bool) -> Iterator[Path]:
    if given is None:
        with tempfile.TemporaryDirectory(prefix="vitrine-benchmark-") as made:
            yield Path(made)
        return
    given.mkdir(parents=True, exist_ok=True)
    yield given
    if not keep:
        for path in given.glob("glami-shaped-*.zip"):
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_100_000)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument(
        "--pandas-queries", type=int, default=20, help="the first so many, for their patience"
    )
    parser.add_argument("--dir", type=Path, help="where the archive is made (default: a temporary folder)")
    parser.add_argument(
        "--keep", action="store_true", help="keep the archive in --dir, and use it if it is there"
    )
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--archive", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        _run_step(options.step, options.archive, options.queries)
        return
    with _folder(options.dir, options.keep) as folder, tempfile.TemporaryDirectory(dir=folder) as home:
        archive = folder / f"glami-shaped-{options.rows}.zip"
        if not archive.exists():
            _in_own_process("generate", archive, Path(home), options.rows)
        done = _in_own_process("import", archive, Path(home), 0)
        print(
            f"import of {done['rows']:,} rows: {done['seconds']:.1f} s ({done['cpu_s']:.1f} s of processor), {done['peak_mb']:,.0f} MB"
        )
        vitrine = _in_own_process("vitrine", archive, Path(home), options.queries)
        pandas = (
            _in_own_process("pandas", archive, Path(home), options.pandas_queries)
            if options.pandas_queries
            else None
        )
    _report("Vitrine", vitrine)
    if pandas:
        _report("pandas", pandas)
        same = len(pandas["times"])
        assert vitrine["counts"][:same] == pandas["counts"], "the two do not find the same products"
        ratios = np.asarray(pandas["times"])[:, 0] / np.asarray(vitrine["times"])[:same, 0]
        print(
            f"pandas takes {np.median(ratios):.0f} times as long (median of {same} screens; {ratios.min():.1f} to {ratios.max():.0f})"
        )


def _report(who: str, result: dict[str, Any]) -> None:
    wall, busy = (np.asarray(result["times"])[:, column] * 1_000 for column in (0, 1))
    print(
        f"{who}: opened in {result['open_s']:.1f} s; a screen takes p50 {np.percentile(wall, 50):.0f} ms, "
        f"p95 {np.percentile(wall, 95):.0f} ms, first {wall[0]:.0f} ms "
        f"(processor: p50 {np.percentile(busy, 50):.0f}, p95 {np.percentile(busy, 95):.0f}); {result['peak_mb']:,.0f} MB"
    )


if __name__ == "__main__":
    main()
