"""Duplicates: what each detector finds of the built-in dataset's planted ones, and how its time grows.

python -m benchmarks.duplicates planted demo      (vitrine duplicates demo was run, with vectors)
python -m benchmarks.duplicates time 10000 30000 100000
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.catalog.products import Products
from core.duplicates import finding
from core.duplicates.detectors import HASH_BITS
from core.duplicates.finding import Found
from core.duplicates.nearest import near_hashes, near_vectors
from core.duplicates.texts import near_texts

CHANGES = ("recompressed", "mirrored", "cropped", "recoloured")
THRESHOLDS = {
    "bytes": (1,),
    "pixels": (2, 4, 6, 8, 10),
    "cropped": (2, 3, 4, 5, 6),
    "recoloured": (1, 1.5, 2, 2.5, 3),
    "hash": (0, 2, 4, 8, 16),
    "vectors": (0.998, 0.995, 0.99, 0.98, 0.95, 0.9),
}


def planted(found: Found, truth: pd.DataFrame, threshold: float) -> dict[str, float]:
    """Precision over pairs of pictures, recall of each kind of change and of what leaks between splits.

    A pair is right where both pictures are made from one drawing; two copies of one original are right, too.
    """
    image = truth.image_id.astype(int).to_numpy()
    copied = (truth.duplicate != "").to_numpy()
    root = np.where(copied, truth.duplicate_of.fillna(-1).astype(int), image)
    taken = found.within(threshold)
    a, b = found.a[taken], found.b[taken]
    different = image[a] != image[b]
    a, b = a[different], b[different]
    pairs = np.unique(np.sort(np.stack([image[a], image[b]], axis=1), axis=1), axis=0)
    origin = dict(zip(image.tolist(), root.tolist(), strict=True))
    right = sum(origin[one] == origin[other] for one, other in pairs.tolist())
    there = set(map(tuple, pairs.tolist()))
    copies = truth[copied].drop_duplicates("image_id")
    hit = np.array(
        [tuple(sorted((int(row.image_id), int(row.duplicate_of)))) in there for row in copies.itertuples()],
        bool,
    )
    across = copies.duplicate_across_splits.to_numpy(bool)
    return {
        "pairs": len(pairs),
        "precision": right / len(pairs) if len(pairs) else float("nan"),
        **{kind: float(hit[(copies.duplicate == kind).to_numpy()].mean()) for kind in CHANGES},
        "across": float(hit[across].mean()) if across.any() else float("nan"),
    }


def planted_texts(found: Found, truth: pd.DataFrame) -> dict[str, float]:
    """Recall of rows that repeat another's name and description letter by letter, where those are not empty."""
    row_of = {int(item): row for row, item in reversed(list(enumerate(truth.item_id)))}
    repeats = [(row, row_of[int(of)]) for row, of in enumerate(truth.text_of) if not pd.isna(of)]
    same_split = truth.split.to_numpy()
    found_again = 0
    for row, of in repeats:
        # Equal texts of one split are one unit; across splits they are a pair.
        if found.unit[row] == found.unit[of]:
            found_again += 1
        elif same_split[row] != same_split[of]:
            exact = found.within(1)
            units = {
                (int(found.unit[a]), int(found.unit[b]))
                for a, b in zip(found.a[exact], found.b[exact], strict=True)
            }
            pair = (int(found.unit[row]), int(found.unit[of]))
            found_again += pair in units or pair[::-1] in units
    return {"repeats": len(repeats), "recall": found_again / max(1, len(repeats))}


def show_planted(name: str) -> None:
    products = Products.open(name)
    truth = pd.read_parquet(products.info.folder / "truth.parquet")
    found = finding.find(products, [*THRESHOLDS, "text"])
    print("| detector | threshold | pairs | precision | " + " | ".join(CHANGES) + " | across splits |")
    print("|---|---|---:|---:|" + "---:|" * (len(CHANGES) + 1))
    for key, thresholds in THRESHOLDS.items():
        for threshold in thresholds:
            row = planted(found[key], truth, threshold)
            shares = " | ".join(f"{row[name]:.2f}" for name in ("precision", *CHANGES, "across"))
            print(f"| {key} | {threshold:g} | {row['pairs']:,} | {shares} |")
    texts = planted_texts(found["text"], truth)
    print(f"\nRepeated texts: {texts['repeats']:,}, found {texts['recall']:.3f}")
    for key, one in found.items():
        print(f"{key}: {one.described.seconds:.1f} s, notes {list(one.described.notes)}")


def made_up(n: int) -> Iterator[tuple[str, float, int]]:
    """Processor seconds and pairs of each search over n made-up products, of which one in twenty is a copy, slightly changed."""
    rng = np.random.default_rng(0)
    copies = n // 20
    splits = np.zeros((n, 2), bool)
    splits[np.arange(n), (rng.random(n) < 0.1).astype(int)] = True

    bits = rng.integers(0, 256, (n, HASH_BITS // 8), np.uint8)
    bits[:copies] = bits[copies : 2 * copies] ^ (rng.random((copies, HASH_BITS // 8)) < 0.1).astype(np.uint8)
    mirrored = rng.integers(0, 256, (n, HASH_BITS // 8), np.uint8)
    started = time.process_time()
    near = near_hashes(bits, mirrored, splits, 16)
    yield "hash", time.process_time() - started, len(near.a)

    wide = rng.normal(size=(n, 256)).astype(np.float32)
    wide[:copies] = wide[copies : 2 * copies] + 0.1 * rng.normal(size=(copies, 256)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    started = time.process_time()
    near = near_vectors(wide, splits, 0.9)
    yield "vectors, 256 numbers", time.process_time() - started, len(near.a)

    letters = np.array(list("abcdefghijklmnoprstuvyz"))
    words = np.array(["".join(rng.choice(letters, length)) for length in rng.integers(2, 13, 5_000)])
    texts = [" ".join(line) for line in words[rng.integers(0, len(words), (n, 22))]]
    texts[:copies] = [f"{text} more" for text in texts[copies : 2 * copies]]
    started = time.process_time()
    near = near_texts(list(dict.fromkeys(texts)), 0.7)
    yield "text, 175 characters", time.process_time() - started, len(near.a)


def show_time(sizes: list[int]) -> None:
    print("| search | " + " | ".join(f"{n:,}" for n in sizes) + " |")
    print("|---|" + "---:|" * len(sizes))
    rows: dict[str, list[str]] = {}
    for n in sizes:
        for what, seconds, pairs in made_up(n):
            rows.setdefault(what, []).append(f"{seconds:.1f} s ({pairs:,} pairs)")
            print(what, n, rows[what][-1], file=sys.stderr)
    for what, cells in rows.items():
        print(f"| {what} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["planted"] and len(sys.argv) == 3:
        show_planted(sys.argv[2])
    elif sys.argv[1:2] == ["time"] and len(sys.argv) > 2:
        show_time([int(size) for size in sys.argv[2:]])
    else:
        sys.exit(__doc__)
