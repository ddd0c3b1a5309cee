"""Slow readers of large downloads: python -m benchmarks.downloads [--rows 400000] [--readers 45] [--seconds 40]

Starts a server of its own over an invented dataset. Every reader asks for the whole dataset as CSV and reads 4 KB each
half second, then leaves. Prints how many were served and refused, the server's memory before, at most and after they
left, and how long one honest download takes then.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil

PROJECT = Path(__file__).resolve().parents[1]


def read_slowly(port: int, until: float, answers: Counter[str]) -> None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /download/big.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answers[connection.recv(4096).split(b"\r\n")[0].decode()] += 1
            while time.monotonic() < until and connection.recv(4096):
                time.sleep(0.5)
    except OSError as error:
        answers[type(error).__name__] += 1


def resident(process: psutil.Process) -> float:
    return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--readers", type=int, default=45)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--port", type=int, default=8669)
    parser.add_argument("--home", type=Path, help="a folder that holds the dataset `big` already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        home = arguments.home or Path(made)
        environment = os.environ | {"VITRINE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
        if not (home / "big").exists():
            command = [sys.executable, "-m", "benchmarks.synthetic", "big", str(arguments.rows)]
            subprocess.run(command, cwd=PROJECT, env=environment, check=True)
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(arguments.port)]
        server = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        try:
            measure(server.pid, arguments.port, arguments.readers, arguments.seconds)
        finally:
            server.terminate()
            server.wait(30)


def measure(pid: int, port: int, readers: int, seconds: float) -> None:
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 180
    while time.monotonic() < until:
        try:
            httpx.get(f"{url}/healthz", timeout=5).raise_for_status()
            httpx.get(f"{url}/download/big.csv?text=nothing", timeout=60).raise_for_status()
            break
        except httpx.HTTPError:
            time.sleep(0.5)
    process, answers = psutil.Process(pid), Counter[str]()
    print(f"before: {resident(process):,.0f} MB", flush=True)
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=read_slowly, args=(port, until, answers)) for _ in range(readers)]
    for thread in threads:
        thread.start()
    most = 0.0
    while time.monotonic() < until:
        most = max(most, resident(process))
        time.sleep(0.2)
    print(f"{readers} slow readers: {most:,.0f} MB at most; {dict(answers)}", flush=True)
    for thread in threads:
        thread.join()
    time.sleep(2)
    print(f"after they left: {resident(process):,.0f} MB")
    started = time.monotonic()
    answer = httpx.get(f"{url}/download/big.csv", timeout=120)
    print(
        f"one download then: {answer.status_code}, {len(answer.content) / 2**20:.0f} MB in {time.monotonic() - started:.1f} s"
    )


if __name__ == "__main__":
    main()
