"""Fifty annotators with two hundred decisions each at once, through the real store; then a kill -9 in the middle.

    python -m benchmarks.audit [--people 50] [--decisions 200] [--only sqlite]

For SQLite and for a PostgreSQL that is started for it in a temporary folder: milliseconds of a decision (stored, on disk) and
of asking for the next items, p50 and p95, and whether every decision is there once. Then a process that stores decisions and
says each one it was told is stored is killed; with PostgreSQL the server is stopped at once, too. None that was said may be
missing.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from core.answers.database import Database
from core.answers.log import Decision
from core.audit.records import Item, Plan, Stratum
from core.audit.store import Store
from tests.databases import Postgres

LABELS = ("bags", "hats", "shoes")


def planned(name: str, n: int) -> tuple[Plan, list[Item]]:
    """A plan of n products."""
    plan = Plan(
        plan=name, name=name, dataset="shop", fingerprint="f", cohort={}, frame=10 * n, by=(),
        strata=(Stratum("all", 10 * n, n),), allocation="proportional", size=n, seed=0, labels=LABELS,
    )  # fmt: skip
    items = [
        Item(k, k, str(k), str(k), "hats", "shop", "human", "cz", "train", 0, 0.1, False) for k in range(n)
    ]
    return plan, items


def rush(database: Database, people: int, decisions: int) -> None:
    """Everybody answers everything they have, at the same time, without a pause."""
    store = Store(database)
    plan, items = planned("rush", people * decisions)
    store.create_plan(plan, items)
    names = [f"annotator {k}" for k in range(people)]
    started = time.perf_counter()
    store.assign("rush", names)
    print(f"  {people} annotators were dealt {len(items):,} items in {time.perf_counter() - started:.1f} s")
    stored: list[float] = []
    asked: list[float] = []
    begin = threading.Barrier(people)

    def review(who: str) -> None:
        begin.wait()
        for _ in range(decisions):
            start = time.perf_counter()
            one = store.next_items("rush", who, 2)[0]
            middle = time.perf_counter()
            store.record(
                Decision("rush", one.item.item, who, f"{who}/{one.item.item}", answer="right", ms=900)
            )
            asked.append(middle - start)
            stored.append(time.perf_counter() - middle)

    threads = [threading.Thread(target=review, args=(who,)) for who in names]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    log = store.log("rush")
    lost = people * decisions - len({one.key for one in log})
    twice = len(log) - len({one.key for one in log})
    print(
        f"  {len(log):,} decisions in {seconds:.1f} s ({len(log) / seconds:,.0f} a second); lost {lost}, stored twice {twice}"
    )
    for what, times in (("to store a decision", stored), ("to ask for the next items", asked)):
        middle, late, most = (1000 * np.quantile(times, at) for at in (0.5, 0.95, 1))
        print(f"  {what}: p50 {middle:.1f} ms, p95 {late:.1f} ms, most {most:.0f} ms")


def killed(url: str, restart: Postgres | None) -> None:
    """A writer is killed while it writes; what it said is stored is there."""
    store = Store(Database(url))
    plan, items = planned("killed", 5_000)
    store.create_plan(plan, items)
    store.assign("killed", ["Ana"])
    writer = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.audit", "--write", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline().strip() for _ in range(300)]
    if restart:
        restart.stop("immediate")
    writer.send_signal(signal.SIGKILL)
    said += writer.stdout.read().split()
    writer.wait()
    if restart:
        restart.start()
    said = [one for one in said if one.startswith("killed/")]  # the last line may be cut
    there = {one.key for one in Store(Database(url)).log("killed")}
    how = "kill -9 of the writer and a stopped server" if restart else "kill -9"
    print(
        f"  {how}: {len(said)} were said to be stored, {len(there)} are there, lost {len(set(said[:-1]) - there)}"
    )


def write(url: str) -> None:
    """Store decisions one after another, and say each that is stored."""
    store = Store(Database(url))
    for one in range(5_000):
        made = store.record(Decision("killed", one, "Ana", f"killed/{one}", answer="right"))
        print(made.key, flush=True)


def main() -> None:
    """Both databases, the rush and the kill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), default="")
    parser.add_argument("--write", metavar="URL", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.write:
        return write(chosen.write)
    if chosen.only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="vitrine-audit-") as folder:
            url = f"sqlite:///{Path(folder) / 'answers.sqlite'}"
            print("SQLite (WAL, every commit flushed)")
            rush(Database(url), chosen.people, chosen.decisions)
            killed(url, None)
    if chosen.only != "sqlite":
        on_postgresql(chosen.people, chosen.decisions)


def on_postgresql(people: int, decisions: int) -> None:
    """The same with a server of its own."""
    server_folder = Path(tempfile.mkdtemp(prefix="vitrine-pg-"))
    server = Postgres(server_folder)
    try:
        print("PostgreSQL")
        rush(Database(server.url()), people, decisions)
        killed(server.url(), server)
    finally:
        server.stop("immediate")
        shutil.rmtree(server_folder, ignore_errors=True)


if __name__ == "__main__":
    main()
