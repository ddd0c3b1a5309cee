"""A room of visitors: python benchmarks/stage.py [--minutes 10] [--visitors 30] [--browsers 2]

Starts a server of its own over the built-in dataset, with vectors. Visitors ask as the phones' page does (a photo or a word,
then its state every 0.9 s), look at product pictures, open pages over Streamlit's socket and ask the panels, each some
seconds after the last answer; some are phones in Chromium. In the middle one panel is killed: its connections are cut and
its event is given a picture that cannot be decoded, again and again for ten seconds. Prints Markdown: answers with p50 and
p95 by kind, refused, lost, memory after the first minute and at the end. Ends with 1 where an answer was lost, the server died
or memory grew by more than a tenth after the first minute.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
from benchmarks.guard import run_page  # noqa: E402

THINK_S = 6.0  # mean
WAIT_S = 60.0
PAGES = ("browse", "search", "statistics", "map", "duplicates")
WORDS = ("red dress", "boty", "šaty", "black shoes", "kabelka", "φόρεμα", "kabát", "cipő")
BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]  # fmt: skip


@dataclass
class Room:
    url: str
    photos: list[bytes]
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    until: float = 0.0


async def phone(room: Room, http: httpx.AsyncClient, rng: random.Random) -> str:
    """A photo or a word, as the phones' page asks."""
    word = "" if rng.random() < 0.6 else f"{rng.choice(WORDS)} {rng.randrange(40)}"
    body = b"" if word else rng.choice(room.photos)
    told = (await http.post("/phone/ask", params={"word": word}, content=body)).raise_for_status().json()
    while told["state"] in ("waiting", "running"):
        await asyncio.sleep(0.9)
        told = (await http.get("/phone/now")).raise_for_status().json()
    if told["state"] == "full":
        return "full"
    if told["state"] != "done":
        raise RuntimeError(told.get("error", told["state"]))
    for product in told["answer"]["like"][:3]:
        (await http.get(product["picture"])).raise_for_status()
    return ""


async def page(room: Room, http: httpx.AsyncClient, rng: random.Random) -> str:
    await run_page(room.url, rng.choice(PAGES), "dataset=demo")
    return ""


async def panel(room: Room, http: httpx.AsyncClient, rng: random.Random) -> str:
    call = "/panels/classification/gradio_api/call/classify"
    joined = await http.post(call, json={"data": [None, rng.choice(WORDS), "", "", ""]})
    if joined.status_code == 503:
        return "full"
    said = await http.get(f"{call}/{joined.raise_for_status().json()['event_id']}")
    if "event: complete" not in said.text:
        raise RuntimeError(said.text[:80])
    return ""


async def wall(room: Room, http: httpx.AsyncClient, rng: random.Random) -> str:
    (await http.get("/wall/now")).raise_for_status()
    (await http.get("/stage-now")).raise_for_status()
    return ""


KINDS = (phone, phone, phone, page, panel, wall)


async def visitor(room: Room, number: int) -> None:
    rng = random.Random(number)
    async with httpx.AsyncClient(base_url=room.url, timeout=WAIT_S) as http:
        await http.get("/phone")
        while time.monotonic() < room.until:
            await asyncio.sleep(rng.expovariate(1 / THINK_S))
            kind = rng.choice(KINDS)
            started = time.monotonic()
            try:
                if await asyncio.wait_for(kind(room, http, rng), WAIT_S):
                    room.refused[kind.__name__] += 1
                else:
                    room.seconds[kind.__name__].append(time.monotonic() - started)
            except Exception as error:  # whatever it is, this answer is lost
                room.lost[f"{kind.__name__}: {type(error).__name__} {str(error)[:80]}"] += 1


async def kill_a_panel(room: Room, after_s: float) -> None:
    """Connections cut within an event, and pictures that cannot be decoded, for ten seconds."""
    await asyncio.sleep(after_s)
    until = time.monotonic() + 10
    call = "/panels/retrieval/gradio_api/call/search"
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(base_url=room.url, timeout=1) as http:
                await http.post(
                    "/panels/retrieval/gradio_api/upload",
                    files={"files": ("a.png", b"\x89PNG" + b"\0" * 5_000)},
                )
                joined = await http.post(call, json={"data": ["boty"] * 8})
                async with http.stream("GET", f"{call}/{joined.json().get('event_id', 'x')}") as said:
                    async for _ in said.aiter_bytes():
                        break
        await asyncio.sleep(0.2)


async def in_chromium(room: Room, browsers: int) -> None:
    """Phones as they are: the page in a browser, again and again."""
    if not browsers:
        return
    from playwright.async_api import async_playwright

    path = shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=BROWSER)

        async def one(number: int) -> None:
            context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="cs-CZ")
            tab = await context.new_page()
            await tab.goto(f"{room.url}/phone")
            rng = random.Random(1_000 + number)
            while time.monotonic() < room.until:
                await asyncio.sleep(rng.expovariate(1 / THINK_S))
                started = time.monotonic()
                try:
                    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": rng.choice(room.photos)}
                    await tab.set_input_files("#photo", photo)
                    await tab.wait_for_selector("#found:not([hidden])", timeout=WAIT_S * 1000)
                    room.seconds["phone in Chromium"].append(time.monotonic() - started)
                    await tab.click("#again")
                except Exception as error:
                    room.lost[f"Chromium: {str(error)[:80]}"] += 1

        await asyncio.gather(*(one(number) for number in range(browsers)))
        await browser.close()


def memory_mb(process: psutil.Process) -> float:
    """Resident memory of a process and its children."""
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]) / 2**20


async def measure(room: Room, process: psutil.Process, arguments: argparse.Namespace) -> tuple[float, float]:
    seconds = arguments.minutes * 60
    first = 0.0

    async def look() -> None:
        nonlocal first
        await asyncio.sleep(min(60.0, seconds / 2))
        first = memory_mb(process)

    async with httpx.AsyncClient(
        base_url=room.url, timeout=WAIT_S
    ) as http:  # each kind once: what is loaded on demand is there
        for kind in dict.fromkeys(KINDS):
            with suppress(Exception):
                await kind(room, http, random.Random(0))
    room.until = time.monotonic() + seconds
    await asyncio.gather(
        look(), kill_a_panel(room, seconds / 2), in_chromium(room, arguments.browsers),
        *(visitor(room, number) for number in range(arguments.visitors)),
    )  # fmt: skip
    return first, memory_mb(process)


def report(room: Room, first: float, last: float) -> None:
    print("| answers of | n | p50 | p95 | refused |\n|---|---|---|---|---|")
    for kind, seconds in sorted(room.seconds.items()):
        p50, p95 = np.percentile(seconds, [50, 95])
        print(f"| {kind} | {len(seconds)} | {p50:.2f} s | {p95:.2f} s | {room.refused[kind]} |")
    print(f"\nLost: {room.lost.total()} {dict(room.lost) or ''}")
    print(
        f"Memory: {first:,.0f} MB after the first minute, {last:,.0f} MB at the end ({last / first - 1:+.1%})"
    )


def photos_of(home: Path) -> list[bytes]:
    """Forty product pictures as phones would send them."""
    os.environ["VITRINE_HOME"] = str(home)
    from core.catalog.info import info
    from core.catalog.products import Products
    from core.images.pictures import Pictures, decode

    dataset = info("demo")
    ids = (
        Products(dataset)
        .query("SELECT DISTINCT image_id FROM cohort WHERE image IS NOT NULL ORDER BY 1 LIMIT 40")
        .fetchall()
    )
    found = []
    for (image_id,) in ids:
        out = io.BytesIO()
        decode(Pictures(dataset).read(image_id)).resize((768, 1024), Image.Resampling.BILINEAR).save(
            out, "JPEG", quality=88
        )
        found.append(out.getvalue())
    return found


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--visitors", type=int, default=30)
    asked.add_argument("--browsers", type=int, default=2)
    asked.add_argument("--home", type=Path, help="with a prepared dataset `demo`; made anew without")
    asked.add_argument("--port", type=int, default=8599)
    arguments = asked.parse_args()
    home = arguments.home or Path(tempfile.mkdtemp())
    environment = {**os.environ, "VITRINE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    if not (home / "demo").exists():
        for command in (["demo", "--items", "2000"], ["embed", "demo"]):
            subprocess.run([sys.executable, "-m", "core", *command], cwd=PROJECT, env=environment, check=True)
    room = Room(f"http://127.0.0.1:{arguments.port}", photos_of(home))
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(arguments.port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        for _ in range(240):
            with suppress(httpx.HTTPError):
                if httpx.get(f"{room.url}/healthz", timeout=2).status_code == 200:
                    break
            time.sleep(0.5)
        first, last = asyncio.run(measure(room, psutil.Process(process.pid), arguments))
        alive = process.poll() is None
        report(room, first, last)
    finally:
        process.terminate()
        process.wait(20)
        if not arguments.home:
            shutil.rmtree(home, ignore_errors=True)
    return 0 if alive and not room.lost and last <= 1.1 * first else 1


if __name__ == "__main__":
    sys.exit(main())
