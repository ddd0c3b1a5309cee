"""Before a demo: everything that it needs, tried for real at the running server and timed, with what to do where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil

from core.catalog import map_files
from core.catalog.info import datasets
from core.embeddings.store import sets
from core.preparation import state
from core.stage import room, runs, tours
from core.stage.reach import reach

USUAL = "http://127.0.0.1:8501"
MEMORY_BYTES = 1.5 * 2**30  # below this the laptop swaps once the models work
SLOW_PAGE_S = 8.0  # a page that takes longer bores a room
SLOW_ANSWER_S = 5.0
WAIT_S = 60.0
CHARGE = 40  # percent, without a charger
WORD = "dress"


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        subject: what.
        ok: may the demo begin?
        finding: what was seen, and what to do where it is not right.
        seconds: that it took.
    """

    subject: str
    ok: bool
    finding: str
    seconds: float = 0.0


def examine(url: str = USUAL) -> Iterator[Check]:
    """Every check, one after another, as each is done. One that breaks is itself a finding.

    Args:
        url: of the running server; without one only the machine and the data are looked at.
    """
    checks: list[tuple[str, Callable[[str], tuple[bool, str]]]] = [
        ("memory", _memory), ("power", _power), ("prepared", _prepared), ("tours", _tours), ("room", _room), ("server", _server),
    ]  # fmt: skip
    up = False
    for subject, check in checks:
        found = _tried(subject, check, url)
        up = found.ok if subject == "server" else up
        yield found
    if not up:
        return
    for subject, check in (("fonts", _font), ("outside", _outside), ("phones", _phones)):
        yield _tried(subject, check, url)
    yield from _pages(url)
    for panel in ("classification", "retrieval"):
        yield _tried(f"panel {panel}", lambda at, panel=panel: _panel(at, panel), url)  # type: ignore[misc]
    yield _tried("a visitor's question", _question, url)


def _tried(subject: str, check: Callable[[str], tuple[bool, str]], url: str) -> Check:
    started = time.monotonic()
    try:
        ok, text = check(url)
    except Exception as error:  # a check must never stop the others
        ok, text = False, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return Check(subject, ok, text, round(time.monotonic() - started, 2))


def _memory(_: str) -> tuple[bool, str]:
    free = psutil.virtual_memory().available
    good = free >= MEMORY_BYTES
    return good, f"{free / 2**30:.1f} GB free" + ("" if good else ". Close other programs")


def _power(_: str) -> tuple[bool, str]:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return True, "no battery, or it cannot be read"
    good = bool(battery.power_plugged) or battery.percent >= CHARGE
    return good, f"{battery.percent:.0f}%{', charging' if battery.power_plugged else ''}" + ("" if good else ". Plug it in")  # fmt: skip


def _prepared(_: str) -> tuple[bool, str]:
    """Vectors and map of every dataset are there and of the same files."""
    missing, whole = [], []
    for dataset in datasets():
        job = state.job_of(dataset)
        if not sets(dataset) or not map_files.maps(dataset) or (job is not None and not job.complete):
            missing.append(dataset.name)
        else:
            whole.append(dataset.name)
    if missing:
        return False, "; ".join(f"{name} lacks vectors or a map. Run: vitrine prepare {name}" for name in missing)  # fmt: skip
    return bool(whole), ", ".join(whole) or "there is no dataset. Run: vitrine demo"


def _tours(_: str) -> tuple[bool, str]:
    broken, whole = [], []
    for dataset, tour in tours.every():
        for number, stop in enumerate(tour.stops, 1):
            if trouble := stop.trouble(dataset.name):
                broken.append(f"{dataset.name}/{tour.name}, view {number}: {trouble}")
        whole.append(f"{tours.place(dataset.name, tour.name)} ({len(tour.stops)} views)")
    return not broken, "; ".join(broken) or ", ".join(whole) or "none yet"


def _room(_: str) -> tuple[bool, str]:
    return True, "locked" if room.locked() else "open. Lock it on the page Present before you leave the laptop alone"  # fmt: skip


def _http(url: str) -> Any:
    import httpx

    return httpx.Client(base_url=url, timeout=WAIT_S, headers={"origin": url})


def _server(url: str) -> tuple[bool, str]:
    import httpx

    try:
        with _http(url) as http:
            return http.get("/healthz").status_code == 200, f"{url} is up"
    except (httpx.HTTPError, httpx.InvalidURL):
        return False, f"no server at {url}. Start it (make run HOST=0.0.0.0) or say where it is: --url"


def _font(url: str) -> tuple[bool, str]:
    with _http(url) as http:
        found = http.get("/fonts/Inter-Regular.woff2")
    return found.status_code == 200 and len(found.content) > 10_000, f"{len(found.content) >> 10} kB from this server"  # fmt: skip


def _outside(url: str) -> tuple[bool, str]:
    """What the pages may load and ask is this server's: the browser refuses the rest."""
    loose = []
    with _http(url) as http:
        for path in ("/", "/phone", "/wall", "/panels/classification/", "/panels/retrieval/"):
            policy = http.get(path).headers.get("content-security-policy", "")
            if "default-src" not in policy or "http:" in policy or "https:" in policy or " * " in policy:
                loose.append(path)
    return not loose, f"these pages may load from elsewhere: {', '.join(loose)}" if loose else "no page may load anything from elsewhere"  # fmt: skip


def _phones(url: str) -> tuple[bool, str]:
    parts = urlsplit(url)
    found = reach(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    return bool(found.address), f"{found.address} answers on this machine's network; scan it once with a phone" if found.address else found.why  # fmt: skip


def _pages(url: str) -> Iterator[Check]:
    """Every page, run to its end."""
    dataset = next((f"dataset={each.name}" for each in datasets()), "")
    pages = [""]
    for page in pages:
        started = time.monotonic()
        try:
            ran = runs.run(url, page, dataset if page else "")
        except OSError as error:
            yield Check(f"page {page or 'Home'}", False, str(error), round(time.monotonic() - started, 2))
            continue
        if not page:
            pages += [each for each in ran.pages if each and each != "presenter"]
        slow = ran.seconds > SLOW_PAGE_S
        said = "; ".join(ran.errors) or ("slow: open it once before the demo" if slow else "drawn")
        yield Check(f"page {page or 'Home'}", not ran.errors and not slow, said, round(ran.seconds, 2))


def _panel(url: str, panel: str) -> tuple[bool, str]:
    """A program's question to a panel, twice: the second is what visitors wait."""
    call = f"/panels/{panel}/gradio_api/call/" + ("classify" if panel == "classification" else "search")
    took = 0.0
    with _http(url) as http:
        inputs = http.get(f"/panels/{panel}/gradio_api/info").json()["named_endpoints"]
        known = next(
            iter(value for key, value in inputs.items() if key == "/" + call.rsplit("/", 1)[1]), None
        )
        if known is None:
            return False, "the panel has no event for programs"
        data = [WORD if each["parameter_name"] in ("name", "query", "text") else each.get("parameter_default") for each in known["parameters"]]  # fmt: skip
        for _ in range(2):
            started = time.monotonic()
            joined = http.post(call, json={"data": data})
            if joined.status_code != 200:
                return False, f"refused: {joined.text[:120]}"
            said = http.get(f"{call}/{joined.json()['event_id']}").text
            took = time.monotonic() - started
            if "event: complete" not in said:
                return False, f"no answer: {' '.join(said.split())[:160]}"
    return took <= SLOW_ANSWER_S, f"a warm answer takes {took:.2f} s" + ("" if took <= SLOW_ANSWER_S else ": too slow for a room")  # fmt: skip


def _question(url: str) -> tuple[bool, str]:
    """What a phone does, over its own routes, with a word that nobody asked before."""
    started = time.monotonic()
    with _http(url) as http:
        told = http.post("/phone/ask", params={"word": f"{WORD} {int(started * 1000) % 100_000}"}).json()
        while told["state"] in ("waiting", "running") and time.monotonic() - started < WAIT_S:
            time.sleep(0.1)
            told = http.get("/phone/now").json()
        http.post("/phone/leave")
    took = time.monotonic() - started
    if told["state"] != "done":
        return False, told.get("error") or f"the line says {told['state']}"
    answer = told["answer"]
    what = f"{len(answer['classes'])} classes, {len(answer['like'])} products like it"
    return bool(answer["like"]) and took <= SLOW_ANSWER_S, f"{what} in {took:.2f} s from {answer['dataset']}"
