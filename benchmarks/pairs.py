"""Generating incorrect pairs: seconds and memory, beside the direct version where it can run.

    python -m benchmarks.pairs [10000 100000 1000000] [--dimensions 64] [--anchors 100000]

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

import numpy as np

from core.pairs.clusters import cluster
from core.pairs.selection import draw_clusters, least_similar

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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--anchors", type=int, default=100_000)
    parser.add_argument("--one", choices=("blocks", "direct"))
    asked = parser.parse_args()
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
