"""How quickly a map is on the screen, and what it costs: python -m benchmarks.map_paint [--rows 100000 1000000 3000000]

The real page in headless Chromium, whose WebGL is drawn by the processor (SwiftShader): a graphics card is quicker.
Datasets and maps are invented (points around centres); the page, the server and the component are the real ones.
Prints Markdown: from opening the page to the painted map, the bytes that came for it, the memory of the page, and
from letting go of a lasso to its count on the screen.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks import synthetic
from core.catalog import info as catalog
from core.catalog.map_files import MapDescription, Region

PROJECT = Path(__file__).resolve().parent.parent
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CENTRES = 60
PAINT_LIMIT_MS = 240_000


def make(name: str, rows: int) -> None:
    """A dataset whose names are a word each: a map does not read them, and it is there sooner."""
    texts = synthetic.texts
    with patch.object(synthetic, "texts", lambda pools, geo, words, seeds: texts(pools, geo, 1, seeds)):
        synthetic.make(name, rows)


def draw_map(name: str) -> None:
    """A map of crowds of unlike size, written as `core.maps.projection` writes one."""
    info = catalog.info(name)
    rng = np.random.default_rng(0)
    centres = rng.uniform(-0.85, 0.85, (CENTRES, 2))
    share = rng.pareto(1.2, CENTRES) + 0.2
    clusters = rng.choice(CENTRES, info.rows, p=share / share.sum()).astype(np.int32)
    spread = (0.02 + 0.1 * np.sqrt(share / share.sum()))[clusters, None]
    points = np.clip(centres[clusters] + spread * rng.standard_normal((info.rows, 2)), -1, 1)
    folder = info.folder / "maps" / "drawn"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "points.npy", points.astype(np.float32))
    np.save(folder / "clusters.npy", clusters)
    sizes = np.bincount(clusters, minlength=CENTRES)
    regions = [
        Region(at, *map(float, centres[at]), int(sizes[at]), f"region {at}", None, 0.0)
        for at in range(CENTRES)
    ]
    described = MapDescription(
        "drawn", "drawn", "drawn", "image", False, "umap", info.fingerprint, "", "", info.rows, info.rows,
        info.rows, info.rows, 0, {}, {}, sorted(regions, key=lambda region: -region.size), {"all": 0.0}, "now",
    )  # fmt: skip
    (folder / "map.json").write_text(json.dumps(asdict(described)), encoding="utf-8")


@contextmanager
def server(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        command, cwd=PROJECT, env={**os.environ, "VITRINE_HOME": str(home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.25)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def memory_mb(session: Any) -> float:
    """The page's JavaScript heap with typed arrays, after a collection."""
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return (used["usedSize"] + used.get("backingStorageSize", 0)) / 2**20


def browser_s() -> float:
    """Processor time that our Chromium's processes have used, in seconds: it counts little of what else is running."""
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        parents[int(path.parent.name)] = int(fields[1])
        if "chrom" in name:
            used[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ours(pid: int) -> bool:
        while pid > 1:
            if pid == os.getpid():
                return True
            pid = parents.get(pid, 0)
        return False

    return sum(seconds for pid, seconds in used.items() if ours(pid))


def measure(page: Page, url: str, name: str) -> dict[str, float]:
    """One opening of the page with nothing kept by the browser, and one lasso."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: dict[str, float] = {}
    session.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
    urls: dict[str, str] = {}
    session.on("Network.responseReceived", lambda e: urls.update({e["requestId"]: e["response"]["url"]}))
    began, work = time.perf_counter(), browser_s()
    page.goto(f"{url}/map?dataset={name}")
    page.wait_for_selector(".map[data-painted]", timeout=PAINT_LIMIT_MS)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    painted, work = time.perf_counter() - began, browser_s() - work
    own = page.evaluate("() => performance.getEntriesByName('vitrine-map').at(-1).duration / 1000")
    sent = sum(size for key, size in sizes.items() if "/map" in urls.get(key, ""))
    memory = memory_mb(session)
    box = page.locator(".surface").bounding_box()
    assert box
    page.get_by_label("Draw a lasso (L)").click()
    middle, radius = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), 0.3 * box["height"]
    corners = [
        (middle[0] + radius * math.cos(at / 60 * math.tau), middle[1] + radius * math.sin(at / 60 * math.tau))
        for at in range(60)
    ]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner)
    began = time.perf_counter()
    page.mouse.up()
    page.wait_for_selector(".chosen .say", timeout=PAINT_LIMIT_MS)
    counted = time.perf_counter() - began
    page.wait_for_selector(".chosen a.first", timeout=PAINT_LIMIT_MS)
    return {
        **{"page": painted, "map": own, "bytes": sent, "memory": memory, "work": work},
        **{"lasso": counted, "opens": time.perf_counter() - began},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 3_000_000])
    parser.add_argument("--home", type=Path, help="keep the datasets there, and use those that are there")
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="map-paint-"))
    os.environ["VITRINE_HOME"] = str(home)
    known = {info.name for info in catalog.datasets()}
    for rows in given.rows:
        if f"points-{rows}" not in known:
            make(f"points-{rows}", rows)
        draw_map(f"points-{rows}")
    chromium = next(
        path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
    )
    print(
        f"Headless Chromium, WebGL by the processor; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; median of {given.times}\n"
    )
    print(
        "| points | page opened to map painted, s | of it the map's own, s | processor time of the browser, s | MB sent for the map | JavaScript memory, MB | lasso to count, s | to the links that open them, s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with server(home) as url, sync_playwright() as playwright:
        for rows in given.rows:
            found = []
            for _ in range(given.times):
                browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(PAINT_LIMIT_MS)
                found.append(measure(page, url, f"points-{rows}"))
                browser.close()
            middle = {key: statistics.median(each[key] for each in found) for key in found[0]}
            print(
                f"| {rows:,} | {middle['page']:.1f} | {middle['map']:.1f} | {middle['work']:.1f} | {middle['bytes'] / 1e6:.1f} | "
                f"{middle['memory']:.0f} | {middle['lasso']:.2f} | {middle['opens']:.2f} |",
                flush=True,
            )
    if not given.home:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
