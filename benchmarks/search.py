"""Time and memory of search and embedding: python -m benchmarks.search [exact] [approximate] [embedding]

Vectors are drawn: points around centres in a 64-dimensional space, turned into 512 dimensions, of length 1, as
embeddings of products lie around their kinds. The approximate index is asked of a cloud without centres, too, whose
axes shrink as 1/sqrt(i): nothing there helps it. Each part runs in a process of its own; prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.embeddings.store import Description, EmbeddingSet
from core.search.index import Index, build_approximate
from core.settings import go_offline

D, K, QUERIES = 512, 100, 40
APPROXIMATE_QUERIES = 200
PARTS = ("exact", "approximate", "embedding")


def draw(folder: Path, n: int, cloud: bool = False) -> EmbeddingSet:
    """(n, 512) float16 on disk, and mapped; a cloud is without kinds."""
    rng = np.random.default_rng(0)
    turn = rng.standard_normal((64, D)).astype(np.float32) / 8
    centres = rng.standard_normal((4_000, 64)).astype(np.float32)
    spread = 0.7
    if cloud:
        centres, spread = np.zeros((4_000, 64), np.float32), 1 / np.sqrt(np.arange(1, 65, dtype=np.float32))
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float16, (n, D))
    for start in range(0, n, 50_000):
        size = min(50_000, n - start)
        latent = centres[rng.integers(0, 4_000, size)] + spread * rng.standard_normal((size, 64), np.float32)
        block = latent @ turn + 0.02 * rng.standard_normal((size, D), np.float32)
        vectors[start : start + size] = block / np.linalg.norm(block, axis=1, keepdims=True)
    vectors.flush()
    mapped = np.load(folder / "vectors.npy", mmap_mode="r")
    described = Description("drawn", "imported", D, "drawn", n, created="now")
    return EmbeddingSet("drawn", described, mapped, np.ones(n, bool), folder)


def queries(found: EmbeddingSet, n: int = QUERIES) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    own = np.asarray(found.vectors[np.sort(rng.integers(0, len(found.vectors), n))], np.float32)
    noise = rng.standard_normal(own.shape).astype(np.float32)
    return own + 0.5 * noise / np.linalg.norm(noise, axis=1, keepdims=True)


def memory_mb() -> tuple[int, int]:
    """Resident memory of this process now: its own, and mapped from files."""
    status = Path("/proc/self/status").read_text()
    found = [int(status.split(f"{key}:")[1].split()[0]) >> 10 for key in ("RssAnon", "RssFile")]
    return found[0], found[1]


def timed(name: str, asked: NDArray[np.float32], search: Callable[[NDArray[np.float32]], object]) -> None:
    search(asked[0])
    times = []
    for query in asked:
        started = time.perf_counter()
        search(query)
        times.append(1e3 * (time.perf_counter() - started))
    own, mapped = memory_mb()
    p50, p95 = np.percentile(times, [50, 95])
    print(f"| {name} | {p50:.1f} | {p95:.1f} | {own:,} | {mapped:,} |", flush=True)


def exact(folder: Path) -> None:
    found = draw(folder, 1_100_000)
    asked = queries(found)
    index = Index(found)
    print(f"\n### Exact top-{K} of 1.1M x {D}, one query at a time ({load()})\n")
    print("| | p50 ms | p95 ms | own MB | mapped MB |\n|---|---|---|---|---|")
    timed("Vitrine, all", asked, lambda query: index.search(query, K))
    rng = np.random.default_rng(2)
    for share in (0.5, 0.01, 0.001):
        mask = rng.random(len(found.vectors)) < share
        timed(
            f"Vitrine, a filter of {share:.1%}", asked, lambda query, mask=mask: index.search(query, K, mask)
        )  # type: ignore[misc]
    ours = [index.search(query, K) for query in asked[:10]]
    import faiss

    wide = np.asarray(found.vectors, np.float32)

    def plain(query: NDArray[np.float32]) -> NDArray[np.int64]:
        scores = wide @ query
        best = np.argpartition(-scores, K)[:K]
        return best[np.argsort(-scores[best], kind="stable")]

    timed("numpy float32, argpartition", asked, plain)
    equal = np.mean(
        [len(set(mine.rows) & set(plain(query))) / K for mine, query in zip(ours, asked, strict=False)]
    )
    flat = faiss.IndexFlatIP(D)
    flat.add(wide)
    timed("FAISS IndexFlatIP", asked, lambda query: flat.search(query[None], K))
    print(f"\nThe {K} found are numpy's: recall {equal:.4f} (the rest ties within a float's last digit).")


def approximate(folder: Path) -> None:
    for cloud, title in ((False, "around 4,000 centres"), (True, "a cloud without centres")):
        approximately(draw(folder, 3_000_000, cloud), title)


def approximately(found: EmbeddingSet, title: str) -> None:
    """Time and recall of the index that Vitrine builds of its own accord."""
    started = time.perf_counter()
    described = build_approximate(found)
    seconds = time.perf_counter() - started
    asked = queries(found, APPROXIMATE_QUERIES)
    index = Index(found)

    def exactly(query: NDArray[np.float32], k: int = K) -> NDArray[np.int64]:
        return index.search(query, k, approximate=False).rows

    print(f"\n### Top-{K} of 3M x {D}, {title}, {len(asked)} queries ({load()})\n")
    print("| | p50 ms | p95 ms | own MB | mapped MB |\n|---|---|---|---|---|")
    read = f"{described.probes} of {described.lists:,} lists"
    timed(f"inverted file, {read}", asked, lambda query: index.search(query, K))
    timed("exact", asked, exactly)
    hits = [len(set(index.search(query, 10).rows) & set(exactly(query, 10))) / 10 for query in asked]
    print(
        f"\nrecall@10 {np.mean(hits):.4f} on these queries, {described.recall_at_10:.4f} when built; "
        f"built in {seconds:.0f} s.",
        flush=True,
    )


def embedding(_: Path) -> None:
    """Where the time of an embedding goes, on one processor, for the dataset `glami-mini`."""
    import torch

    from core.catalog.products import Products
    from core.embeddings.chunks import plan_work
    from core.embeddings.clip import ENCODERS
    from core.embeddings.loading import load_encoder
    from core.images.pictures import Pictures, decode

    torch.set_num_threads(1)
    coder = load_encoder(ENCODERS[0], "cpu")
    products = Products.open("glami-mini")
    ids = list(plan_work(products, "image").keys[:512])
    pictures = Pictures(products.info)
    marks = [time.perf_counter()]
    data = [pictures.read_at(place) for place in pictures.places(ids).values()]
    marks.append(time.perf_counter())
    images = [decode(each, coder.preprocessing.decode_px) for each in data]
    marks.append(time.perf_counter())
    pixels = np.stack([coder.preprocessing.pixels(image) for image in images])
    marks.append(time.perf_counter())
    coder.encode_pixels(pixels)
    marks.append(time.perf_counter())
    spans = np.diff(marks)
    print(f"\n### Embedding 512 photos of glami-mini with clip-tiny on one processor ({load()})\n")
    print("| reading | decoding | resizing | encoding | pictures/s |\n|---|---|---|---|---|")
    shares = " | ".join(f"{span / spans.sum():.0%}" for span in spans)
    print(f"| {shares} | {len(ids) / spans.sum():.0f} |")


def load() -> str:
    return f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    go_offline()
    chosen = arguments.parts or list(PARTS)
    if not arguments.inside:
        for part in chosen:
            subprocess.run([sys.executable, __file__, part, "--inside"], check=True)
        return
    folder = Path(tempfile.mkdtemp(prefix="vitrine-benchmark-"))
    try:
        globals()[chosen[0]](folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
