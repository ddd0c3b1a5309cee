"""Seconds from a server's start to its first answers, its memory, and what it does while nobody visits:
python -m benchmarks.start HOME [--idle SECONDS] [--rounds N] [--at PROJECT]

HOME holds the built-in dataset `demo`, prepared. Servers start one after the other, in turn without and with warming
(VITRINE_WARM), so that both meet the same machine. Asked are the panels' events, as a program asks them: a search by words, a
classification of a text. `at once`: asked as soon as the server answers; `later`: asked when it has loaded what it loads at
start. `--at` starts the servers of another checkout, such as an earlier commit's. Prints Markdown; memory is of the server's
process (resident), processor time its user and system time.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parents[1]
MODES = {"cold": "0", "warm": "1"}
SEARCH = ("retrieval", "search", ["červené šaty", None, "", [], [], "demo / clip-tiny", ""])
CLASSIFY = ("classification", "classify", [None, "červené šaty s krátkým rukávem", "", "embracenet-tiny", ""])


@dataclass
class Server:
    url: str
    process: psutil.Process
    begun: float
    noted: dict[str, float] = field(default_factory=dict)

    def since(self) -> float:
        """Seconds since it was started."""
        return time.perf_counter() - self.begun

    def note_memory(self, when: str) -> None:
        """Resident memory, and the part that is no page of a file, which the system may take back at any time."""
        found = self.process.memory_info()
        self.noted[f"memory {when}, MB"] = found.rss / 2**20
        self.noted[f"of it not pages of files {when}, MB"] = (found.rss - found.shared) / 2**20

    def processor_s(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


def request(url: str, data: Any = None) -> bytes:
    body = None if data is None else json.dumps(data).encode()
    headers = {"Content-Type": "application/json"} if body else {}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=300) as answer:
        return bytes(answer.read())


def ask(server: Server, event: tuple[str, str, list[Any]]) -> float:
    """Seconds until an event of a panel is answered.

    Raises:
        RuntimeError: it was answered by an error.
    """
    panel, name, data = event
    address = f"{server.url}/panels/{panel}/gradio_api"
    inputs = json.loads(request(f"{address}/info"))["named_endpoints"][f"/{name}"]["parameters"]
    data = data[: len(inputs)]  # an earlier commit's event takes fewer
    started = time.perf_counter()
    address += f"/call/{name}"
    number = json.loads(request(address, {"data": data}))["event_id"]
    said = request(f"{address}/{number}").decode()
    if "event: complete" not in said:
        raise RuntimeError(f"{name}: {said[:500]}")
    return time.perf_counter() - started


@contextmanager
def served(home: Path, warm: str, project: Path) -> Iterator[Server]:
    """A server that has just answered for the first time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "VITRINE_HOME": str(home), "VITRINE_WARM": warm, "VITRINE_PREPARE": ""}
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=project, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        server = Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid), begun)
        try:
            while True:
                try:
                    request(f"{server.url}/healthz")
                    break
                except OSError:
                    if process.poll() is not None or server.since() > 300:
                        log.seek(0)
                        raise RuntimeError(log.read().decode(errors="replace")[-2_000:]) from None
                    time.sleep(0.05)
            server.noted["up, s"] = server.since()
            yield server
        finally:
            process.terminate()
            process.wait(30)


def settled(server: Server) -> None:
    """Wait until it does next to nothing: a tenth of a core over two seconds."""
    while True:
        before = server.processor_s()
        time.sleep(2)
        if server.processor_s() - before < 0.2:
            return


def at_once(home: Path, warm: str, project: Path) -> dict[str, float]:
    """Asked as soon as it answers at all."""
    with served(home, warm, project) as server:
        ask(server, SEARCH)
        server.noted["first search at once, s from start"] = server.since()
        ask(server, CLASSIFY)
        server.noted["first classification after it, s from start"] = server.since()
        return server.noted


def later(home: Path, warm: str, project: Path, idle_s: float) -> dict[str, float]:
    """Asked when it has loaded what it loads by itself; then left alone."""
    with served(home, warm, project) as server:
        note = server.noted
        settled(server)
        note["start done, s"] = server.since()
        server.note_memory("after the start")
        before, began = server.processor_s(), time.perf_counter()
        time.sleep(idle_s)
        note["processor while nobody ever visited, % of a core"] = (
            100 * (server.processor_s() - before) / (time.perf_counter() - began)
        )
        note["first search later, s"] = ask(server, SEARCH)
        note["second search, s"] = ask(server, SEARCH)
        note["first classification later, s"] = ask(server, CLASSIFY)
        note["second classification, s"] = ask(server, CLASSIFY)
        server.note_memory("after the first classification")
        settled(server)
        before, began = server.processor_s(), time.perf_counter()
        time.sleep(idle_s)
        note["processor after visitors left, % of a core"] = (
            100 * (server.processor_s() - before) / (time.perf_counter() - began)
        )
        server.note_memory("after idling")
        return note


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds to leave a server alone, twice")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--modes", default="cold,warm")
    parser.add_argument(
        "--at", type=Path, default=PROJECT, help="folder of the checkout whose servers are measured"
    )
    given = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {mode: {} for mode in given.modes.split(",")}
    for _ in range(given.rounds):
        for mode, kept in found.items():
            home = given.home.resolve()
            parts = at_once(home, MODES[mode], given.at), later(home, MODES[mode], given.at, given.idle)
            for key, value in {**parts[1], **parts[0]}.items():
                kept.setdefault(key, []).append(value)
    print(
        f"Load {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors, {given.rounds} rounds, median (lowest to highest).\n"
    )
    print(f"| | {' | '.join(found)} | ratio |\n|---|{'---:|' * (len(found) + 1)}")
    for key in next(iter(found.values())):
        sides = [found[mode][key] for mode in found]
        cells = [f"{statistics.median(side):.2f} ({min(side):.2f} to {max(side):.2f})" for side in sides]
        ratio = statistics.median(sides[0]) / max(1e-9, statistics.median(sides[-1]))
        print(f"| {key} | {' | '.join(cells)} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
