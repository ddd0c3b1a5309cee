"""Load with hostile requests among it: python -m benchmarks.guard [--minutes 10] [--clients 30]

Starts a server of its own over the built-in dataset, with vectors. Clients open pages over Streamlit's socket, load
pictures, search, download, open panels and classify, each some seconds after the last answer. Each kind once before
anything is measured, so that what is loaded on demand (torch, models, charts) is there. Then without hostile requests, a
quarter of the time but a minute at least, then with a tenth of all requests hostile for the whole of it. Prints Markdown; ends with 1
where the server died, where its memory at the end is beyond 1.1 times that after the first minute, or where the p95 of
honest requests is beyond twice that without the hostile ones. Memory is that of the server and its children.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PROJECT = Path(__file__).resolve().parents[1]
HOSTILE_SHARE = 0.1
THINK_S = 6.0  # mean
WAIT_S = 60.0  # for one answer; beyond it counts as failed
WORDS = ("red dress", "boty", "šaty", "black shoes", "kabelka")
PAGES = ("", "browse", "search", "statistics", "duplicates", "map", "classify")


@dataclass
class Load:
    url: str
    ids: list[str]
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    hostile: dict[str, int] = field(default_factory=lambda: defaultdict(int))


async def page(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    """A page run to its end over the socket, as a browser runs it."""
    await run_page(load.url, rng.choice(PAGES), "dataset=demo")


async def search(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    await run_page(load.url, "browse", f"dataset=demo&text={rng.choice(WORDS).replace(' ', '+')}")


async def run_page(url: str, name: str, query: str) -> None:
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with websockets.connect(address, origin=url, max_size=None, open_timeout=WAIT_S) as socket:  # type: ignore[arg-type]
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = name
        await socket.send(message.SerializeToString())
        async for data in socket:
            answer = ForwardMsg.FromString(data)
            if answer.WhichOneof("type") == "script_finished":
                return
    raise RuntimeError("the socket closed before the page was done")


async def picture(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    (await http.get(f"/images/demo/{rng.choice(load.ids)}", params={"w": 240})).raise_for_status()


async def download(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    kind = rng.choice(("csv", "parquet"))
    (await http.get(f"/download/demo.{kind}", params={"text": rng.choice(WORDS)})).raise_for_status()


async def panel(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    (await http.get(f"/panels/{rng.choice(('classification', 'retrieval'))}/config")).raise_for_status()


async def classify(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    """A program asks the default model."""
    data = [None, rng.choice(WORDS), "", "", ""]
    call = "/panels/classification/gradio_api/call/classify"
    joined = await http.post(call, json={"data": data})
    said = await http.get(f"{call}/{joined.raise_for_status().json()['event_id']}")
    if "event: complete" not in said.text:
        raise RuntimeError(f"no class: {said.text[:80]}")


async def found(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    """A search by words through the encoder."""
    await run_page(load.url, "search", f"dataset=demo&q={rng.choice(WORDS).replace(' ', '+')}")


HONEST: tuple[Callable[[Load, httpx.AsyncClient, random.Random], Awaitable[None]], ...] = (
    page, page, search, found, picture, picture, picture, download, panel, classify,
)  # fmt: skip


async def hostile(load: Load, http: httpx.AsyncClient, rng: random.Random) -> None:
    """One hostile request. Any answer but a 5xx is right; so is a closed connection."""
    kind = rng.choice(tuple(ATTACKS))
    load.hostile[kind] += 1
    try:
        answer = await asyncio.wait_for(ATTACKS[kind](load, http), WAIT_S)
        if answer is not None and answer.status_code >= 500:
            load.failed[f"hostile, {kind}: {answer.status_code}"] += 1
    except TimeoutError:
        load.failed[f"hostile, {kind}: no answer in {WAIT_S:.0f} s"] += 1
    except (httpx.HTTPError, httpx.InvalidURL, OSError, websockets.WebSocketException):
        return


async def half_a_line(load: Load, http: httpx.AsyncClient) -> None:
    parts = urlsplit(load.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET /healthz HT")
    await writer.drain()
    await asyncio.sleep(5)
    writer.close()


async def leaves_a_download(load: Load, http: httpx.AsyncClient) -> None:
    async with http.stream("GET", "/download/demo.csv") as answer:
        async for _ in answer.aiter_bytes():
            return


async def noise_in_the_socket(load: Load, http: httpx.AsyncClient) -> None:
    address = load.url.replace("http", "ws", 1) + "/_stcore/stream"
    async with websockets.connect(address, origin=load.url) as socket:  # type: ignore[arg-type]
        await socket.send(b"\xff" * 4096)
        with suppress(TimeoutError):  # to say nothing is right, too
            await asyncio.wait_for(socket.recv(), 5)


FOREIGN = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
ATTACKS: dict[str, Callable[[Load, httpx.AsyncClient], Awaitable[httpx.Response | None]]] = {
    "foreign path": lambda load, http: http.get("/images/demo/..%2f..%2f..%2fetc%2fpasswd"),
    "NUL": lambda load, http: http.get("/images/demo/%00%0a"),
    "huge width": lambda load, http: http.get(f"/images/demo/{load.ids[0]}?w=999999999"),
    "deep category": lambda load, http: http.get("/download/demo.csv", params={"category": ">" * 2_000}),
    "long query": lambda load, http: http.get("/download/demo.csv", params={"text": "a " * 20_000}),
    "many values": lambda load, http: http.get("/download/demo.csv", params={"geo": [str(n) for n in range(3_000)]}),
    "wrong type": lambda load, http: http.get("/download/demo.csv", params={"row_id": "x'; DROP", "map": "../.."}),
    "foreign host": lambda load, http: http.get("/healthz", headers={"host": "attacker.example"}),
    "foreign file": lambda load, http: http.post(
        "/panels/classification/gradio_api/queue/join",
        json={"data": [FOREIGN, "x", "y", "", ""], "fn_index": 0, "session_hash": "guard"},
    ),
    "upload": lambda load, http: http.post(
        "/panels/classification/gradio_api/upload", files={"files": ("x.png", b"\x89PNG" + bytes(2**20))}
    ),
    "half a line": half_a_line,
    "leaves a download": leaves_a_download,
    "noise in the socket": noise_in_the_socket,
}  # fmt: skip


async def warm(load: Load) -> None:
    """Every page and every kind of request once."""
    async with httpx.AsyncClient(base_url=load.url, timeout=10 * WAIT_S) as http:
        for name in PAGES:
            await run_page(load.url, name, "dataset=demo")
        for ask in dict.fromkeys(HONEST):
            await ask(load, http, random.Random(0))


async def client(load: Load, seed: int, until: float, attack: bool) -> None:
    rng = random.Random(seed)
    await asyncio.sleep(rng.random() * THINK_S)
    kept = httpx.Limits(
        keepalive_expiry=2
    )  # below the server's 5 s, or a connection closes while it is asked again
    async with httpx.AsyncClient(base_url=load.url, timeout=WAIT_S, limits=kept) as http:
        while time.monotonic() < until:
            if rng.random() < HOSTILE_SHARE:  # without an attack the same share is left out
                if attack:
                    await hostile(load, http, rng)
            else:
                ask = rng.choice(HONEST)
                started = time.perf_counter()
                try:
                    await asyncio.wait_for(ask(load, http, rng), WAIT_S)
                    load.seconds[ask.__name__].append(time.perf_counter() - started)
                except Exception as error:  # whatever it is, an honest request was not answered
                    load.failed[f"{ask.__name__}: {type(error).__name__} {error}"[:120]] += 1
            await asyncio.sleep(rng.expovariate(1 / THINK_S))


async def watch(process: psutil.Process, until: float, found: list[tuple[float, float]]) -> None:
    """(seconds since the start, resident MB of the server and its children), each second."""
    started = time.monotonic()
    while time.monotonic() < until and process.is_running():
        total = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                total += one.memory_info().rss
            except psutil.Error:
                continue
        found.append((time.monotonic() - started, total / 2**20))
        await asyncio.sleep(1)


async def phase(url: str, ids: list[str], process: psutil.Process, clients: int, seconds: float, attack: bool) -> tuple[Load, list[tuple[float, float]]]:  # fmt: skip
    load, memory = Load(url, ids), []
    until = time.monotonic() + seconds
    await asyncio.gather(
        watch(process, until, memory), *(client(load, seed, until, attack) for seed in range(clients))
    )
    return load, memory


def p95(load: Load, kind: str | None = None) -> float:
    found = load.seconds[kind] if kind else [each for times in load.seconds.values() for each in times]
    return float(np.percentile(found, 95)) if found else float("nan")


def serve(home: Path, port: int, items: int) -> tuple[subprocess.Popen[bytes], list[str]]:
    environment = os.environ | {"VITRINE_HOME": str(home)}
    for arguments in (
        ["demo", "--name", "demo", "--items", str(items)],
        ["embed", "demo", "--encoder", "clip-tiny"],
    ):
        command = [sys.executable, "-m", "core", *arguments]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)
    import pyarrow.parquet as pq

    ids = (
        pq.read_table(home / "demo" / "products.parquet", columns=["image_id"])
        .column(0)
        .drop_null()
        .to_pylist()
    )
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200:
                return process, ids
        except httpx.HTTPError:
            time.sleep(0.25)
    process.kill()
    raise SystemExit("The server did not start:\n" + (home / "server.log").read_text()[-2000:])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help="of the part with hostile requests")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--items", type=int, default=600, help="products of the dataset")
    parser.add_argument("--port", type=int, default=8659)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vitrine-guard-") as folder:
        server, ids = serve(Path(folder), chosen.port, chosen.items)
        try:
            url, process = f"http://127.0.0.1:{chosen.port}", psutil.Process(server.pid)
            seconds = chosen.minutes * 60
            asyncio.run(warm(Load(url, ids)))
            quiet, _ = asyncio.run(phase(url, ids, process, chosen.clients, max(60.0, seconds / 4), False))
            loaded, memory = asyncio.run(phase(url, ids, process, chosen.clients, seconds, True))
            died = server.poll() is not None
            try:
                alive = not died and httpx.get(f"{url}/healthz", timeout=30).status_code == 200
            except httpx.HTTPError:
                alive = False
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
    return report(quiet, loaded, memory, alive)


def report(quiet: Load, loaded: Load, memory: list[tuple[float, float]], alive: bool) -> int:
    print("| honest requests | without hostile: n, p95 s | with: n, p95 s | ratio |\n|---|---|---|---|")
    for kind in (*dict.fromkeys(ask.__name__ for ask in HONEST), None):
        pair = [p95(load, kind) for load in (quiet, loaded)]
        counts = [
            len(load.seconds[kind]) if kind else sum(map(len, load.seconds.values()))
            for load in (quiet, loaded)
        ]
        print(
            f"| {kind or 'all'} | {counts[0]:,}, {pair[0]:.2f} | {counts[1]:,}, {pair[1]:.2f} | {pair[1] / pair[0]:.2f} |"
        )
    print(f"\nHostile: {sum(loaded.hostile.values()):,} requests of {len(loaded.hostile)} kinds.")
    for name, load in (("without hostile", quiet), ("with", loaded)):
        for what, count in load.failed.items():
            print(f"- {name}: {count} x {what}")
    last = memory[-1][0]
    first = min(60.0, last / 2)
    early = np.median([mb for at, mb in memory if first <= at <= first + 10])
    late = np.median([mb for at, mb in memory if at >= last - 10])
    slower = p95(loaded) / p95(quiet)
    checks = {
        "the server lives": alive,
        f"memory at the end {late:,.0f} MB, {late / early:.2f} of {early:,.0f} MB after {first:.0f} s (at most 1.10)": late <= 1.1 * early,
        f"p95 of honest requests {slower:.2f} of that without hostile ones (at most 2)": slower <= 2,
        "every honest request was answered": not any(not what.startswith("hostile") for what in loaded.failed),
        "no hostile request got a 5xx or no answer": not any(what.startswith("hostile") for what in loaded.failed),
    }  # fmt: skip
    print()
    for what, held in checks.items():
        print(f"- {'held' if held else 'MISSED'}: {what}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
