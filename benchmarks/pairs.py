"""Generating incorrect pairs: seconds and memory, beside the direct version where it can run.

    python -m benchmarks.pairs [10000 100000 1000000] [--dimensions 64] [--anchors 100000]
    python -m benchmarks.pairs --dataset demo     # methods compared: similarity, reuse, pairs of one category

Random vectors of pictures and texts in 16 bits, 10 clusters of each. `--anchors` selects partners for so many anchors
alone, among all candidates, and the seconds of all are computed from those. The direct version keeps all similarities in
one matrix and sorts each anchor's candidates. Every figure is of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from core.catalog.products import Products
from core.pairs.clusters import cluster
from core.pairs.generation import generate
from core.pairs.selection import draw_clusters, least_similar
from core.pairs.table import PairSettings

LARGEST_MATRIX = 4 * 2**30  # bytes that the direct version may take


def vectors(n: int, d: int, seed: int) -> np.ndarray:
    """(n, d) float16 of length 1, in no more memory than they take."""
    rng = np.random.default_rng(seed)
    found = np.empty((n, d), np.float16)
    for start in range(0, n, 50_000):
        block = rng.normal(size=(min(50_000, n - start), d)).astype(np.float32)
        found[start : start + 50_000] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return found


def direct(features: np.ndarray, image: np.ndarray, text: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """All similarities at once, and each anchor's candidates in ascending order until one has another text cluster."""
    wide = features.astype(np.float32)
    similarity = wide @ wide.T
    found = np.full(len(wide), -1)
    members = {number: np.flatnonzero(image == number) for number in np.unique(image)}
    for k, number in enumerate(chosen):
        some = members[number]
        for j in some[np.argsort(similarity[k, some], kind="stable")]:
            if text[j] != text[k]:
                found[k] = j
                break
    return found


def measured(n: int, d: int, most: int, how: str) -> dict[str, float]:
    """Run in a process of its own."""
    pictures, texts = vectors(n, d, 1), vectors(n, d, 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = np.arange(n)
    started, worked = time.monotonic(), time.process_time()
    image, _ = cluster(pictures, rows, 10, 0)
    text, _ = cluster(texts, rows, 10, 0)
    clusters = time.process_time() - worked
    chosen, _ = draw_clusters(image, text, 0)
    some = np.sort(np.random.default_rng(0).choice(n, min(n, most), replace=False))
    if len(some) < n:
        asked = image.astype(np.int64).copy()
        asked[some] = chosen[some]
        chosen = asked
    worked = time.process_time()
    found = (
        direct(pictures, image, text, chosen)
        if how == "direct"
        else least_similar(pictures, image, text, chosen).partner
    )
    seconds = time.process_time() - worked
    return {
        "clusters_s": clusters,
        "partners_s": seconds * n / len(some),
        "passed_s": time.monotonic() - started,
        "vectors_mb": 2 * pictures.nbytes / 2**20,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "before_mb": before,
        "distinct": len(np.unique(found[found >= 0])),
        "most_used": int(np.bincount(found[found >= 0]).max()),
        "check": int(found[some].sum()),
    }


METHODS: tuple[dict[str, Any], ...] = (
    {},
    {"replacement": False},
    {"method": "random"},
    {"method": "below", "threshold": 0.8},
    {"method": "below", "threshold": 0.2},
)


def compare(dataset: str) -> None:
    """Each method on a dataset's training products. A pair of one category is likely to be no incorrect pair."""
    products = Products.open(dataset)
    category = products.columns.category.codes
    print(
        "method | pairs | of one category | similarity of pictures, of texts | distinct partners, most used"
    )
    for changed in METHODS:
        made = generate(products, PairSettings(split="train", **changed))
        there, counts = made.paired, made.described.counts
        same = (category[made.row_id[there]] == category[made.partner[there]]).mean()
        print(
            f"{made.described.settings.title} | {counts.pairs:,} | {same:.2%} | {made.similarity[there].mean():.2f}, "
            f"{made.text_similarity[there].mean():.2f} | {counts.partners:,}, {counts.most_used:,}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--anchors", type=int, default=100_000)
    parser.add_argument("--one", choices=("blocks", "direct"))
    parser.add_argument("--dataset", help="compare the methods on its training products")
    asked = parser.parse_args()
    if asked.dataset:
        return compare(asked.dataset)
    if asked.one:
        print(json.dumps(measured(asked.sizes[0], asked.dimensions, asked.anchors, asked.one)))
        return
    print(
        "items | version | clusters, s | partners, s | peak memory, MB (vectors alone) | distinct partners, most used"
    )
    for n in asked.sizes:
        checks = []
        for how in ("blocks", "direct"):
            if how == "direct" and 4 * n * n > LARGEST_MATRIX:
                print(
                    f"{n:,} | direct | | | cannot run: its matrix takes {4 * n * n / 1e9:,.0f} GB |",
                    flush=True,
                )
                continue
            command = [sys.executable, "-m", "benchmarks.pairs", str(n), "--one", how]
            command += ["--dimensions", str(asked.dimensions), "--anchors", str(asked.anchors)]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            checks.append(told["check"])
            print(
                f"{n:,} | {how} | {told['clusters_s']:.1f} | {told['partners_s']:.1f} | {told['peak_mb']:,.0f} "
                f"({told['vectors_mb']:,.0f}) | {told['distinct']:,}, {told['most_used']:,}",
                flush=True,
            )
        if len(checks) == 2:
            print(f"{n:,}: the two versions {'agree' if checks[0] == checks[1] else 'differ'}")


if __name__ == "__main__":
    main()
