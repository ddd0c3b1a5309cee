"""Preparing a dataset: everything that the pages need, once, whatever interrupts it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.catalog.build import import_dataset
from core.catalog.info import DatasetInfo, info
from core.catalog.map_files import maps
from core.catalog.products import Products
from core.demo.build import build
from core.duplicates.finding import describe
from core.embeddings.store import sets
from core.errors import MapError, PreparationError, UsageError
from core.pairs.table import listing
from core.preparation import job, state
from core.preparation.parts import PARTS, fitting
from core.progress import Progress
from core.settings import PROJECT
from core.sources.reading import ReadOptions
from core.statistics.picture_stats import measured

# Prepares `drawn`, and ends itself as kill -9 does when the part of argv[1] reports how far it is.
KILLED = """
import os, signal, sys
from core.catalog.info import info
from core.preparation.job import prepare
from core.preparation.parts import PARTS
title = {part.key: part for part in PARTS}[sys.argv[1]]
number = f"{1 + [part.key for part in PARTS].index(sys.argv[1])} of"
def progress(done, total, what):
    if what.startswith(number) and (done or sys.argv[1] == "index"):
        os.kill(os.getpid(), signal.SIGKILL)
prepare(info("drawn"), progress=progress)
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatasetInfo]:
    """A drawn dataset of 80 products, in a VITRINE_HOME of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(tmp_path_factory.mktemp("prepared")))
        build("drawn", 80, 0)
        yield info("drawn")


def test_killed_in_every_part_it_goes_on_and_doubles_nothing(drawn: DatasetInfo) -> None:
    assert [step.state for step in job.plan(drawn)] == ["waiting"] * len(PARTS)
    for part in PARTS:
        ended = subprocess.run([sys.executable, "-c", KILLED, part.key], cwd=PROJECT, check=False)
        assert ended.returncode == -signal.SIGKILL, part.key
        left = state.job_of(drawn)
        assert left is not None and not left.running and not left.complete
        assert left.step(part.key).state == "running"  # type: ignore[union-attr]
    steps = job.prepare(drawn)
    assert {step.state for step in steps} == {"done"}, steps
    assert len(sets(drawn)) == 2 and len(maps(drawn)) == 1  # vectors of pictures, and of texts for the pairs
    assert len(listing(drawn)) == 1
    assert measured(drawn).state == "done" and describe(drawn, "cropped") is not None
    evaluations = list((drawn.folder.parent / "evaluations").glob("*/drawn.*.parquet"))
    assert len(evaluations) == len(fitting(drawn)) == 1
    before = {path: path.stat().st_mtime_ns for path in drawn.folder.rglob("*") if path.name != state.FILE}
    assert all(step.seconds == 0 for step in job.prepare(drawn))
    after = {path: path.stat().st_mtime_ns for path in drawn.folder.rglob("*") if path.name != state.FILE}
    assert after.keys() == before.keys()
    assert not [
        path for path in after if path.is_file() and after[path] != before[path] and path.suffix != ".lock"
    ]
    found = state.job_of(drawn)
    assert found is not None and found.complete


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> DatasetInfo:
    """Three products without pictures."""
    (tmp_path / "shop.csv").write_text("id,name,category\n1,red dress,a1\n2,blue shirt,a2\n3,boots,a3\n")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop", ReadOptions())
    return info("shop")


def test_what_a_dataset_cannot_have_is_left_out_and_said(shop: DatasetInfo) -> None:
    steps = {step.key: step for step in job.plan(shop)}
    assert steps["vectors"].state == "waiting"  # of its texts
    assert steps["pictures"].why == steps["pairs"].why == "the dataset has no pictures"
    assert steps["evaluation"].why == "no bundled classifier knows its categories"
    with pytest.raises(UsageError, match=r"no part 'maps'\. Parts: vectors, "):
        job.plan(shop, ["maps"])


def test_what_takes_long_is_left_out_until_it_is_asked_for(shop: DatasetInfo) -> None:
    large = replace(shop, rows=3_000_000)
    steps = {step.key: step for step in job.plan(large)}
    assert steps["vectors"].state == "left out"
    assert steps["vectors"].why == "it takes about 6.4 hours: vitrine prepare shop --only vectors"
    assert job.plan(large, ["vectors"])[0].state == "waiting"
    assert {step.key for step in job.plan(large, everything=True) if step.state == "waiting"} >= {
        "vectors",
        "map",
    }


def test_a_part_that_fails_stops_no_other(shop: DatasetInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def fail(_: DatasetInfo, progress: Progress) -> None:
        progress(1, 2, "Mapping")
        raise MapError("The map broke.")

    def stand_in(part: job.Part) -> job.Part:
        run = fail if part.key == "map" else lambda info, progress: made.append(part.key)
        return replace(part, absent=lambda info: "", done=lambda info: False, run=run)

    monkeypatch.setattr(job, "PARTS", tuple(stand_in(part) for part in PARTS))
    monkeypatch.setattr(job, "part", lambda key: next(part for part in job.PARTS if part.key == key))
    steps = {step.key: step for step in job.prepare(shop)}
    assert (steps["map"].state, steps["map"].why) == ("failed", "The map broke.")
    assert made == [part.key for part in PARTS if part.key != "map"]
    found = state.job_of(shop)
    assert found is not None and not found.running and not found.complete


def test_two_never_prepare_one_dataset_and_all_see_how_far_it_is(shop: DatasetInfo) -> None:
    steps = [
        state.Step("vectors", "Embedding", "done", 2.0),
        state.Step("map", "Mapping", "running", 60.0, done=1, total=4),
        state.Step("copies", "Finding copies", "waiting", 30.0),
    ]
    with (shop.folder / state.FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps([vars(step) for step in steps]))
        file.flush()
        with pytest.raises(PreparationError, match="shop is being prepared already"):
            job.prepare(shop)
        found = state.job_of(shop)
        assert found is not None and found.running and found.current == steps[1]
        assert [found.comes(key) for key in ("vectors", "map", "copies", "index")] == [
            False,
            True,
            True,
            False,
        ]
        assert (found.seconds_left("map"), found.seconds_left("copies")) == (45.0, 75.0)
        os.truncate(shop.folder / state.FILE, 0)  # it writes how far it is: a page waits
        written = state.job_of(shop)
        assert written is not None and written.running and written.comes("map")
    state.expect(shop)  # a server is about to start one
    expected = state.job_of(shop)
    assert expected is not None and expected.running and expected.comes("map") and not expected.complete
    state.give_up(shop)
    (shop.folder / state.FILE).write_text("[" + "x" * 20)
    assert state.job_of(shop) == state.Job(False, ())
    assert Products(shop).info == shop
