"""Scoring of large files of predictions, comparison of many submissions, and the coverage of ranges of ranks.

python -m benchmarks.leaderboard scoring [ROWS...]     seconds and memory to read and score a file
python -m benchmarks.leaderboard comparing             100 submissions of 116,004 products, all pairs
python -m benchmarks.leaderboard coverage [DRAWS]      how often ranges contain the true ranks, and corrected accuracies the clean one
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.benchmark.noise import Audited, corrected
from core.benchmark.predictions import read_predictions
from core.benchmark.ranking import mcnemar_holm, ranks
from core.benchmark.scores import score
from core.benchmark.truth import Task, Truth
from core.catalog.build import import_dataset
from core.catalog.products import Products

CLASSES = 191  # as GLAMI-1M
SETTINGS = {
    "6 equal models": [0.7] * 6,
    "1 better, 4 equal, 1 worse": [0.85, 0.7, 0.7, 0.7, 0.7, 0.5],
    "all different": [0.82, 0.78, 0.74, 0.70, 0.66, 0.62],
}
PRODUCTS, SHARED = 600, 0.6  # of a simulation; correlation of what makes a product hard


def main() -> None:
    what, *rest = sys.argv[1:] or ["scoring"]
    if what == "scoring":
        for rows in [int(each) for each in rest] or [116_004, 600_000]:
            scoring(rows)
    elif what == "comparing":
        comparing()
    elif what == "coverage":
        coverage(int(rest[0]) if rest else 300)
    else:
        sys.exit(__doc__)


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scoring(rows: int) -> None:
    """Read and score files of all kinds for a dataset of that many test products."""
    rng = np.random.default_rng(0)
    names = np.array([f"class {number:03d}" for number in range(CLASSES)])
    labels = rng.integers(0, CLASSES, rows)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VITRINE_HOME"] = f"{folder}/home"
        ids = np.array([f"{number:07d}" for number in range(rows)])
        split = ["test"] * rows + ["train"]  # one training product: else the import is divided 8:2
        table = pd.DataFrame(
            {
                "item_id": [*ids, "train"],
                "split": split,
                "title": "x",
                "category": [*names[labels], names[0]],
                "country": "cz",
            }
        )
        table.to_parquet(f"{folder}/products.parquet")
        import_dataset("table", [f"{folder}/products.parquet"], "large")
        began = time.monotonic()
        truth = Truth(Products.open("large"), Task("large"))
        print(f"{rows:,} products: truth in {time.monotonic() - began:.1f} s, {memory_mb():,.0f} MB")
        right = rng.random(rows) < 0.7
        said = np.where(right, labels, rng.integers(0, CLASSES, rows))
        pd.DataFrame({"item_id": ids, "label": names[said]}).to_csv(f"{folder}/label.csv", index=False)
        five = (said[:, None] + np.arange(5)) % CLASSES
        pd.DataFrame({"item_id": ids, "labels": ["|".join(row) for row in names[five]]}).to_csv(
            f"{folder}/ranked.csv", index=False
        )
        for file in ("label.csv", "ranked.csv", "wide.parquet"):
            if file == "wide.parquet":
                _write_probabilities(Path(folder) / file, ids, said, names)
            began, busy = time.monotonic(), time.process_time()
            predicted = read_predictions(Path(folder) / file, truth)
            read, read_busy = time.monotonic() - began, time.process_time() - busy
            report, _ = score(truth, predicted)
            size = (Path(folder) / file).stat().st_size / 2**20
            print(
                f"  {file}: {size:,.0f} MB, read in {read:.1f} s ({read_busy:.1f} of a processor), scored in "
                f"{time.monotonic() - began - read:.1f} s ({time.process_time() - busy - read_busy:.1f}), "
                f"peak {memory_mb():,.0f} MB, top-1 {report['top1']:.4f}",
                flush=True,
            )


def _write_probabilities(
    path: Path, ids: NDArray[np.str_], said: NDArray[np.int64], names: NDArray[np.str_]
) -> None:
    """Probabilities of every class, some thousand rows at a time."""
    rng, writer = np.random.default_rng(1), None
    for start in range(0, len(ids), 20_000):
        part = said[start : start + 20_000]
        given = rng.random((len(part), CLASSES), np.float32)
        given[np.arange(len(part)), part] += 50
        given /= given.sum(axis=1, keepdims=True)
        columns = {
            "item_id": ids[start : start + 20_000],
            **{f"p:{n}": given[:, c] for c, n in enumerate(names)},
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def comparing(models: int = 100, products: int = 116_004) -> None:
    """All pairs of many submissions."""
    hits = simulated(np.random.default_rng(0), np.linspace(0.6, 0.7, models), products)
    began = time.monotonic()
    found = ranks(hits)
    bootstrapped = time.monotonic() - began
    mcnemar_holm(hits > 0)
    width = float((found.last - found.first + 1).mean())
    print(
        f"{models} submissions of {products:,} products, {models * (models - 1) // 2:,} pairs: bootstrap {bootstrapped:.1f} s, "
        f"McNemar {time.monotonic() - began - bootstrapped:.1f} s, peak {memory_mb():,.0f} MB; ranges of {width:.1f} ranks"
    )


def simulated(rng: np.random.Generator, accuracy: NDArray[np.float64], products: int) -> NDArray[np.float32]:
    """(m, n) hits of models of known accuracy, which fail on the same products more often than by chance."""
    from scipy.stats import norm

    shared = rng.standard_normal(products, np.float32)
    found = np.empty((len(accuracy), products), np.float32)
    for at, value in enumerate(accuracy):
        own = rng.standard_normal(products, np.float32)
        found[at] = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own < norm.ppf(value)
    return found


def coverage(draws: int) -> None:
    """All true ranks in their ranges at once: models that are equal share a range of ranks, all of which must be in it."""
    for title, accuracies in SETTINGS.items():
        truth = np.array(accuracies)
        first = np.array([1 + (truth > one).sum() for one in truth])
        last = np.array([len(truth) - (truth < one).sum() for one in truth])
        whole = holm = 0
        for draw in range(draws):
            hits = simulated(np.random.default_rng(draw), truth, PRODUCTS)
            found = ranks(hits, seed=draw)
            whole += bool(((found.first <= first) & (found.last >= last)).all())
            better = (mcnemar_holm(hits > 0) <= 0.05) & (found.difference > 0)
            holm += bool(((1 + better.sum(0) <= first) & (len(truth) - better.sum(1) >= last)).all())
        print(
            f"{title}: bootstrap {whole / draws:.1%}, McNemar with Holm {holm / draws:.1%} of {draws}",
            flush=True,
        )
    noise_coverage(draws)


def noise_coverage(draws: int, noise: float = 0.12, audited: int = 250, products: int = 3_000) -> None:
    """Labels of which 12% are wrong, and models that repeat some of these errors: does the interval contain the clean accuracy?"""
    inside = naive = 0
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        clean, observed = noisy(rng, 0.75, noise, products)
        at = rng.choice(products, audited, replace=False)
        found = corrected(observed[None], Audited(at, np.ones(audited), clean[None][:, at]))
        inside += found.low[0] <= 0.75 <= found.high[0]
        naive += abs(observed.mean() - 0.75) < 1.96 * np.sqrt(
            observed.mean() * (1 - observed.mean()) / products
        )
    print(
        f"{noise:.0%} wrong labels, {audited} audited: corrected {inside / draws:.1%}, uncorrected {naive / draws:.1%} of {draws}"
    )


def noisy(
    rng: np.random.Generator, accuracy: float, noise: float, products: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) hits against clean labels and against noisy ones; harder products are mislabelled more often, and half of the time a
    model repeats the label's error."""
    hard = rng.random(products)
    clean = rng.random(products) < np.clip(accuracy + 0.3 * (0.5 - hard), 0, 1)
    wrong = rng.random(products) < 2 * noise * hard
    observed = np.where(wrong, ~clean & (rng.random(products) < 0.5), clean)
    return clean.astype(float), observed.astype(float)


if __name__ == "__main__":
    main()
