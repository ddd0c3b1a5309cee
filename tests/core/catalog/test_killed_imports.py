"""Imports that are killed at any moment, and several at once: a dataset is whole or not there, and nothing stays behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.errors import DatasetExistsError
from core.storage import sweep

# Its children begin as copies of one process that has loaded all this already, and has no threads.
FROM = multiprocessing.get_context("forkserver")
FROM.set_forkserver_preload([__name__])
KILLS = 20
ROWS = 3_000
KEPT: list[Any] = []


def table(folder: Path) -> str:
    path = folder / "shop.csv"
    path.write_text("item_id,name\n" + "".join(f"i{number},shoe {number}\n" for number in range(ROWS)))
    return str(path)


def _import(home: str, path: str, name: str, dies_at: int, begin: Any, ended: Any) -> None:
    """Import once all are there; dies at that touch of a file in the home, or tells how it went and how many there were."""
    os.environ["VITRINE_HOME"] = home
    touched = 0

    def look(event: str, args: tuple[Any, ...]) -> None:
        nonlocal touched
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir") and str(args[0]).startswith(
            home
        ):
            touched += 1
            if touched == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    begin.wait()
    try:
        import_dataset("table", [path], name)
        ended.put(("done", touched))
    except DatasetExistsError:
        ended.put(("exists", touched))


def started(home: Path, path: str, names: list[str], dies_at: int = 0) -> tuple[list[BaseProcess], Any]:
    begin, ended = FROM.Barrier(len(names)), FROM.Queue()
    processes: list[BaseProcess] = [
        FROM.Process(target=_import, args=(str(home), path, name, dies_at, begin, ended)) for name in names
    ]
    for process in processes:
        process.start()
    KEPT.extend((begin, ended))  # a child that has not begun yet finds them only while they are here
    return processes, ended


def left_over(home: Path) -> list[str]:
    return [path.name for path in home.iterdir() if path.name.startswith(".")]


def test_an_import_killed_at_any_moment_leaves_all_or_nothing(home: Path, tmp_path: Path) -> None:
    path = table(tmp_path)
    (whole,), ended = started(home, path, ["whole"])
    _, touches = ended.get(timeout=120)
    whole.join()
    died = 0
    for dies_at in sorted({max(1, round(1 + kill * (touches - 1) / (KILLS - 1))) for kill in range(KILLS)}):
        name = f"shop-{dies_at}"
        (process,), _ = started(home, path, [name], dies_at)
        process.join()
        died += process.exitcode == -signal.SIGKILL
        if (home / name).exists():
            assert Products.open(name).count() == ROWS
        sweep()
        assert left_over(home) == []
    assert died >= min(KILLS, touches) - 1
    assert import_dataset("table", [path], "after").rows == ROWS
    assert Products.open("whole").count() == ROWS


@pytest.mark.parametrize("names", [["shop"] * 3, ["a", "b", "c"]], ids=["one name", "three names"])
def test_three_imports_at_once(home: Path, tmp_path: Path, names: list[str]) -> None:
    processes, ended = started(home, table(tmp_path), names)
    answers = sorted(ended.get(timeout=120)[0] for _ in names)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert answers == ["done"] * len(set(names)) + ["exists"] * (len(names) - len(set(names)))
    assert {name: Products.open(name).count() for name in set(names)} == dict.fromkeys(names, ROWS)
    assert left_over(home) == []


def test_what_a_living_import_writes_is_not_swept(home: Path, tmp_path: Path) -> None:
    from core.storage import new_folder

    home.mkdir()
    (home / ".building-killed-0123456789ab").mkdir()
    (home / ".removed-old-0123456789ab").mkdir()
    with new_folder("alive") as folder:
        (home / ".building-other-0123456789ab").mkdir()
        assert sweep() == 1
        assert folder.exists() and left_over(home) == [folder.name]
        (folder / "dataset.json").write_text("{}")
    assert sweep() == 0
