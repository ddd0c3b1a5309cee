"""Time and quality of the map: python -m benchmarks.map [layout] [area] [lasso] [--rows 10000,50000,100000] [--keep FOLDER]

`layout`: `core.maps.projection.project`, whole and with a fifth fitted and the rest placed, beside plain umap-learn on
all rows (its own neighbours, its own spectral start). Every map is measured by the same code, on 1,000 points among
all. `area`: which of 1M and 3M points a polygon holds. `lasso`: from a polygon to the count of its cohort in datasets
of that size, everything else of a click included.

Vectors are those of a dataset (glami-mini's by clip-tiny, where they are there) with new ones between each and its
neighbours, and noise of the same kind; otherwise drawn around centres. Each case runs in a process of its own, one
thread, warmed up by a small map; what is finished stays in FOLDER, so that a benchmark that was stopped goes on.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.synthetic import make
from core.catalog.cohort import Cohort
from core.catalog.info import info
from core.catalog.map_files import MapDescription, vectors_digest
from core.catalog.polygon import inside
from core.catalog.products import Products
from core.embeddings.store import Description, open_set, unit, writing
from core.errors import VitrineError
from core.maps.projection import project
from core.maps.quality import measure
from core.search.neighbours import different, flat, unit_rows
from core.settings import go_offline, settings

PARTS = ("layout", "area", "lasso")
CASES = {
    "vitrine": "Vitrine, all rows fitted",
    "plain": "umap-learn, all rows",
    "placed": "Vitrine, a fifth fitted, the rest placed",
}
SET = "drawn"


def vectors_like(n: int, dataset: str) -> NDArray[np.float32]:
    """(n, d) vectors as a dataset of that size would have: between real ones and their neighbours, with noise."""
    rng = np.random.default_rng(0)
    try:
        found = open_set(info(dataset), "clip-tiny")
        rows, _ = different(found.vectors, found.present)
        real = unit_rows(found.vectors, rows)
        print(f"vectors like those of {dataset}: {len(real):,} real ones", file=sys.stderr)
    except VitrineError:
        centres = rng.standard_normal((400, 48))
        latent = centres[rng.integers(0, 400, 5_000)] + 0.7 * rng.standard_normal((5_000, 48))
        real = unit(latent @ rng.standard_normal((48, 256)) + 0.3 * rng.standard_normal((5_000, 256)))[0]
        print("drawn vectors: no real ones are there", file=sys.stderr)
    near = flat(real).search(real, 8)[1]
    new = np.empty((n, real.shape[1]), np.float32)
    for start in range(0, n, 50_000):
        size = min(50_000, n - start)
        one = rng.integers(0, len(real), size)
        other = near[one, rng.integers(1, 8, size)]
        share = rng.random((size, 1)).astype(np.float32)
        # Noise as the vectors themselves differ: the difference of two random ones, a small part of it.
        noise = real[rng.integers(0, len(real), size)] - real[rng.integers(0, len(real), size)]
        new[start : start + size] = unit((1 - share) * real[one] + share * real[other] + 0.15 * noise)[0]
    return new


def prepare(n: int, like: str) -> str:
    """A dataset of n products with vectors, made once in this home."""
    name = f"map-{n}"
    try:
        dataset = info(name)
    except VitrineError:
        make(name, n)
        dataset = info(name)
    if vectors_digest(dataset, SET) is None:
        new = vectors_like(n, like)
        plan = Description(SET, "imported", new.shape[1], dataset.fingerprint, n)
        with writing(dataset, SET, plan, 1) as writer:
            writer.write(0, np.arange(n), new, np.ones(n, bool))
    return name


def processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def one(case: str, n: int) -> dict[str, object]:
    """Make one map, and say what it cost and how good it is."""
    dataset = info(f"map-{n}")
    found = open_set(dataset, SET)
    rows, _ = different(found.vectors, found.present)
    own = unit_rows(found.vectors, rows)
    _warm_up(own[:600], case)
    began, wall = processor_s(), time.monotonic()
    answer: dict[str, object] = {"case": case, "n": n, "load": round(os.getloadavg()[0], 1)}
    if case == "plain":
        from umap import UMAP

        points = UMAP(metric="cosine").fit_transform(own)
        answer |= {"seconds": time.monotonic() - wall, "processor": processor_s() - began}
        chosen = np.sort(np.random.default_rng(0).choice(len(rows), 1_000, replace=False))
        quality = {"fitted": vars(measure(own, points, chosen))}
    else:
        del own
        sample = max(1_000, n // 5) if case == "placed" else 200_000
        marks: dict[str, float] = {}

        def tell(done: int, total: int, what: str) -> None:
            marks.setdefault(what.split(",")[0], processor_s())

        described = project(dataset, SET, progress=tell, sample=sample, again=True)
        ends = [*list(marks.values())[1:], processor_s()]
        spent = {step: end - begin for (step, begin), end in zip(marks.items(), ends, strict=True)}
        # Measuring and naming is not part of umap-learn's time; it is shown beside.
        layout = ("Reading vectors", "Finding neighbours", "Projecting", "Placing the other vectors")
        answer |= {
            "seconds": sum(described.seconds[step] for step in ("neighbours", "layout", "placing")),
            "processor": sum(spent.get(step, 0.0) for step in layout),
            "steps": {step: round(value, 1) for step, value in spent.items()},
        }
        quality = {part: vars(value) for part, value in described.quality.items()}
    return answer | {"quality": quality, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}


def _warm_up(vectors: NDArray[np.float32], case: str) -> None:
    """Compile what numba compiles."""
    from umap import UMAP

    from core.maps.projection import umap

    if case == "plain":
        UMAP(metric="cosine", n_epochs=5, force_approximation_algorithm=True).fit(vectors)
        return
    scores, near = flat(vectors).search(vectors, 15)
    umap(vectors, near.astype(np.int32), scores, 0.1, False, 0, lambda done, total: None)


def layout(folder: Path, rows: list[int], like: str) -> None:
    for n in rows:
        prepare(n, like)
        for case in CASES:
            if not (folder / f"{case}-{n}.json").exists():
                print(f"{case}, {n:,} rows ...", file=sys.stderr, flush=True)
                command = [sys.executable, __file__, "one", "--case", case, "--rows", str(n)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                (folder / f"{case}-{n}.json").write_text(done.stdout.splitlines()[-1])
                print(done.stdout.splitlines()[-1], file=sys.stderr, flush=True)
    print("\n### From vectors to places\n")
    print(
        "| rows | | processor s | wall s (load) | trustworthiness | nearest 15 kept | memory MB |\n"
        "|---|---|---|---|---|---|---|"
    )
    for n in rows:
        for case, title in CASES.items():
            found = json.loads((folder / f"{case}-{n}.json").read_text())
            quality = found["quality"]
            shown = [
                f"{quality[part][key]:.3f}" + (f" {part}" if len(quality) > 1 else "")
                for key in ("trustworthiness", "neighbour_recall")
                for part in quality
            ]
            half = len(shown) // 2
            print(
                f"| {n:,} | {title} | {found['processor']:.0f} | {found['seconds']:.0f} ({found['load']}) | "
                f"{', '.join(shown[:half])} | {', '.join(shown[half:])} | {found['mb']:,} |"
            )


def drawn_area(corners: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """A ragged round of so many corners, as a hand draws it; a square where there are four."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = rng.uniform(0.5, 0.7, corners) if corners > 4 else np.full(4, 0.6)
    around = np.c_[np.cos(turn) * reach, np.sin(turn) * reach] + rng.uniform(-0.2, 0.2, 2)
    return [(float(x), float(y)) for x, y in around]


def drawn_points(n: int) -> NDArray[np.float32]:
    """(n, 2) points in 60 crowds."""
    rng = np.random.default_rng(0)
    crowd = rng.integers(0, 60, n)
    points = rng.uniform(-0.85, 0.85, (60, 2))[crowd] + 0.06 * rng.standard_normal((n, 2))
    return np.clip(points, -1, 1).astype(np.float32)


def area(*_: object) -> None:
    """Which points a polygon holds, and nothing else."""
    print(f"\n### A polygon's points (load {os.getloadavg()[0]:.1f})\n")
    print("| points | corners | inside | least ms | p50 ms | processor ms |\n|---|---|---|---|---|---|")
    for n in (1_000_000, 3_000_000):
        points = drawn_points(n)
        rng = np.random.default_rng(1)
        for corners in (4, 40, 200):
            times, spent, found = [], [], 0
            for _try in range(7):
                polygon = drawn_area(corners, rng)
                began, used = time.perf_counter(), time.process_time()
                found = int(np.count_nonzero(inside(points, polygon)))
                times.append(1e3 * (time.perf_counter() - began))
                spent.append(1e3 * (time.process_time() - used))
            print(
                f"| {n:,} | {corners} | {found:,} | {min(times):.0f} | {np.median(times):.0f} | {np.median(spent):.0f} |",
                flush=True,
            )


def lasso(folder: Path, *_: object) -> None:
    """From the corners of a lasso to the count in a cohort, everything else of a click included."""
    print("\n### Lasso to count\n")
    print(
        "| products | corners | inside | p50 ms | worst ms | the same again ms |\n|---|---|---|---|---|---|"
    )
    for n in (1_000_000, 3_000_000):
        name = f"lasso-{n}"
        try:
            dataset = info(name)
        except VitrineError:
            make(name, n)
            dataset = info(name)
        put_map(name)
        products = Products(dataset)
        products.count()  # reads the columns, as the first page does
        rng = np.random.default_rng(1)
        for corners in (4, 40, 200):
            times, again, found = [], [], 0
            for _try in range(9):
                cohort = Cohort(name, map=SET, area=tuple(drawn_area(corners, rng)))
                began = time.perf_counter()
                found = products.count(cohort)
                times.append(1e3 * (time.perf_counter() - began))
                began = time.perf_counter()
                products.count(cohort)
                again.append(1e3 * (time.perf_counter() - began))
            print(
                f"| {n:,} | {corners} | {found:,} | {np.median(times):.0f} | {max(times):.0f} | {np.median(again):.0f} |",
                flush=True,
            )


def put_map(name: str) -> None:
    """A map of drawn points in crowds, for measuring what does not depend on how it was made."""
    from dataclasses import asdict

    dataset = info(name)
    folder = dataset.folder / "maps" / SET
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "points.npy", drawn_points(dataset.rows))
    np.save(folder / "clusters.npy", np.full(dataset.rows, -1, np.int32))
    described = MapDescription(
        SET, SET, "drawn", "imported", False, "umap", dataset.fingerprint, "", "", dataset.rows,
        dataset.rows, dataset.rows, 0, 0, {}, {}, [], {}, "",
    )  # fmt: skip
    (folder / "map.json").write_text(json.dumps(asdict(described)), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--rows", default="10000,50000,100000")
    parser.add_argument("--like", default="glami-mini", help="A dataset whose clip-tiny vectors are a model.")
    parser.add_argument("--keep", type=Path, help="A VITRINE_HOME of its own that stays, to go on from.")
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    go_offline()
    rows = [int(part) for part in arguments.rows.split(",")]
    if arguments.parts == ["one"]:
        print(json.dumps(one(arguments.case, rows[0])))
        return
    home = arguments.keep or Path(tempfile.mkdtemp(prefix="vitrine-benchmark-"))
    home.mkdir(parents=True, exist_ok=True)
    linked = home / arguments.like
    if (settings().home / arguments.like / "dataset.json").exists() and not linked.exists():
        linked.symlink_to(settings().home / arguments.like)
    os.environ["VITRINE_HOME"] = str(home)
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    figures = home / "runs"
    figures.mkdir(exist_ok=True)
    print(f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}, one thread each")
    try:
        for part in arguments.parts or PARTS:
            {"layout": layout, "area": area, "lasso": lasso}[part](figures, rows, arguments.like)
    finally:
        if not arguments.keep:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
