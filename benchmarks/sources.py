"""Rows a second and peak memory of each layout: python -m benchmarks.sources [--rows 100000]

Each layout is written in its true format to a temporary folder and imported by a process of its own; beside it, pandas
(or h5py, tarfile) reads the same files into memory. Prints Markdown; the ratio is ours to the plain reader's.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

WORDS = [
    "red",
    "blue",
    "wool",
    "cotton",
    "dress",
    "shoe",
    "boot",
    "bag",
    "hat",
    "shirt",
    "long",
    "short",
    "warm",
    "soft",
    "light",
    "dark",
    "summer",
    "winter",
]
CATEGORIES = ["Dresses", "Shoes", "Bags", "Hats", "Shirts"]


def texts(rows: int, words: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(line) for line in rng.choice(WORDS, (rows, words))]


def table(folder: Path, rows: int) -> None:
    frame = pd.DataFrame({"id": range(rows), "title": texts(rows, 6), "description": texts(rows, 30),
                          "category": np.random.default_rng(1).choice(CATEGORIES, rows)})  # fmt: skip
    frame.to_csv(folder / "shop.csv", index=False)


def amazon(folder: Path, rows: int) -> None:
    with gzip.open(folder / "meta_shop.json.gz", "wt", compresslevel=1) as file:
        for row, (title, text) in enumerate(zip(texts(rows, 8), texts(rows, 40), strict=True)):
            record = {"asin": f"B{row:09d}", "title": title, "description": [text], "price": "$9.99",
                      "category": ["Clothing", CATEGORIES[row % 5]], "imageURL": [f"https://shop.example/{row}.jpg"]}  # fmt: skip
            file.write(json.dumps(record) + "\n")


def fashionproducts(folder: Path, rows: int) -> None:
    head = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
    lines = [f"{row},Women,Apparel,Topwear,{CATEGORIES[row % 5]},Red,Fall,2011,Casual,{name}"
             for row, name in enumerate(texts(rows, 6))]  # fmt: skip
    (folder / "styles.csv").write_text("\n".join([head, *lines]))


def huggingface(folder: Path, rows: int) -> None:
    for shard in range(4):
        n = rows // 4
        pictures = [
            {"bytes": bytes([255, 216, *(row + shard * n).to_bytes(4, "big")]) * 40, "path": f"{row}.jpg"}
            for row in range(n)
        ]
        data = pa.table(
            {"image": pictures, "text": texts(n, 12), "label": [CATEGORIES[row % 5] for row in range(n)]}
        )
        pq.write_table(data, folder / f"train-{shard:05d}-of-00004.parquet")


def webdataset(folder: Path, rows: int) -> None:
    with tarfile.open(folder / "train-000.tar", "w") as archive:
        for row, text in enumerate(texts(rows, 12)):
            for ending, data in (("jpg", b"\xff\xd8" * 400), ("txt", text.encode())):
                member = tarfile.TarInfo(f"{row:08d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def fashiongen(folder: Path, rows: int) -> None:
    import h5py

    with h5py.File(folder / "fashiongen_train.h5", "w") as file:
        file.create_dataset("input_image", (rows, 32, 32, 3), np.uint8)
        for name, words in (("name", 4), ("description", 40), ("category", 1), ("subcategory", 1)):
            file.create_dataset(
                f"input_{name}", data=np.array([[text.encode()] for text in texts(rows, words)])
            )
        file.create_dataset("input_productID", data=np.arange(rows)[:, None] // 4)


def read_tar(folder: Path) -> object:
    with tarfile.open(next(folder.glob("*.tar"))) as archive:
        return [archive.extractfile(member).read() for member in archive if member.name.endswith(".txt")]  # type: ignore[union-attr]


def read_h5(folder: Path) -> object:
    import h5py

    with h5py.File(next(folder.glob("*.h5"))) as file:
        return pd.DataFrame({name: file[name][:, 0] for name in file if name != "input_image"})


LAYOUTS: dict[str, tuple[Callable[[Path, int], None], Callable[[Path], object], str]] = {
    "table": (table, lambda folder: pd.read_csv(folder / "shop.csv"), "shop.csv"),
    "amazon": (amazon, lambda folder: pd.read_json(folder / "meta_shop.json.gz", lines=True), ""),
    "fashionproducts": (fashionproducts, lambda folder: pd.read_csv(folder / "styles.csv", on_bad_lines="skip"), ""),
    "huggingface": (huggingface, lambda folder: pd.read_parquet(folder), ""),
    "webdataset": (webdataset, read_tar, ""),
    "fashiongen": (fashiongen, read_h5, ""),
}  # fmt: skip


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """(seconds of processor, MB at most) of work in a process of its own."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        begun = time.process_time()
        work()
        used = resource.getrusage(resource.RUSAGE_SELF)
        os.write(write, json.dumps([time.process_time() - begun, used.ru_maxrss / 1024]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    seconds, memory = json.loads(os.read(read, 1_000))
    return seconds, memory


def main() -> None:
    """Write, import and read each layout, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--layouts", nargs="*", default=list(LAYOUTS))
    arguments = parser.parse_args()
    print(
        "| layout | rows | rows/s | peak MB | plain reader rows/s, MB | ratio of time |\n|---|---|---|---|---|---|"
    )
    for name in arguments.layouts:
        write, plain, below = LAYOUTS[name]
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "in"
            folder.mkdir()
            subprocess.run(
                [sys.executable, "-c", f"from benchmarks.sources import *; {write.__name__}(Path({str(folder)!r}), {arguments.rows})"],
                check=True,
            )  # fmt: skip
            code = (
                "import resource, sys, time\nfrom core.catalog.build import import_dataset\nbegun = time.process_time()\n"
                f"report = import_dataset({name!r}, [{str(folder / below)!r}], 'd')\n"
                "print(report.rows, time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
            )
            environment = os.environ | {"VITRINE_HOME": f"{place}/home"}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
            rows, seconds, memory = map(float, done.stdout.split())
            beside, their_memory = measured(lambda folder=folder, plain=plain: plain(folder))  # type: ignore[misc]
        print(
            f"| {name} | {rows:,.0f} | {rows / seconds:,.0f} | {memory:,.0f} | {rows / beside:,.0f}, {their_memory:,.0f} | "
            f"{seconds / beside:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
