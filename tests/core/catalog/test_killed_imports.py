"""Imports that are killed at any moment, and several at once: a dataset is whole or not there, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.settings import PROJECT
from core.storage import sweep

KILLS = int(os.environ.get("VITRINE_KILLS", "6"))  # 20 on demand: each is a process
ROWS = 3_000
# Imports once the file `begin` is there; dies at that touch of a file in the home, or tells how it went and how many there were.
IMPORT = """
import os, signal, sys, time
from pathlib import Path
from core.catalog.build import import_dataset
from core.errors import DatasetExistsError
home, path, name, dies_at, begin = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5])
touched = 0
def look(event, args):
    global touched
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir") and str(args[0]).startswith(home):
        touched += 1
        if touched == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
Path(f"{begin}.{os.getpid()}").touch()
while not begin.exists():
    time.sleep(0.005)
sys.addaudithook(look)
try:
    import_dataset("table", [path], name)
    print("done", touched)
except DatasetExistsError:
    print("exists", touched)
"""


def table(folder: Path) -> str:
    path = folder / "shop.csv"
    path.write_text("item_id,name\n" + "".join(f"i{number},shoe {number}\n" for number in range(ROWS)))
    return str(path)


def imported(
    home: Path, path: str, names: list[str], dies_at: int = 0
) -> tuple[list[tuple[str, int]], list[int]]:
    """Import at once in a process for each name.

    Returns:
        What those said that did not die, and the status of each.
    """
    begin = Path(path).parent / f"begin-{time.monotonic_ns()}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", IMPORT, str(home), path, name, str(dies_at), str(begin)],
            cwd=PROJECT, env=os.environ | {"VITRINE_HOME": str(home)}, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    while len(list(begin.parent.glob(f"{begin.name}.*"))) < len(names):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    begin.touch()
    said = [process.communicate()[0].split() for process in processes]
    return [(each[0], int(each[1])) for each in said if each], [process.returncode for process in processes]


def left_over(home: Path) -> list[str]:
    return [path.name for path in home.iterdir() if path.name.startswith(".")]


def test_an_import_killed_at_any_moment_leaves_all_or_nothing(home: Path, tmp_path: Path) -> None:
    path = table(tmp_path)
    ((_, touches),), _ = imported(home, path, ["whole"])
    died = 0
    for dies_at in sorted({max(1, round(1 + kill * (touches - 1) / (KILLS - 1))) for kill in range(KILLS)}):
        name = f"shop-{dies_at}"
        _, (status,) = imported(home, path, [name], dies_at)
        died += status == -signal.SIGKILL
        if (home / name).exists():
            assert Products.open(name).count() == ROWS
        sweep()
        assert left_over(home) == []
    assert died >= min(KILLS, touches) - 1
    assert import_dataset("table", [path], "after").rows == ROWS
    assert Products.open("whole").count() == ROWS


@pytest.mark.parametrize("names", [["shop"] * 3, ["a", "b", "c"]], ids=["one name", "three names"])
def test_three_imports_at_once(home: Path, tmp_path: Path, names: list[str]) -> None:
    said, statuses = imported(home, table(tmp_path), names)
    assert statuses == [0] * len(names)
    assert sorted(how for how, _ in said) == ["done"] * len(set(names)) + ["exists"] * (
        len(names) - len(set(names))
    )
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
