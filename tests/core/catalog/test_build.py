"""An import is whole or nothing, whatever happens to it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from core import storage
from core.catalog import info as catalog
from core.catalog.build import import_dataset
from core.catalog.info import datasets, info
from core.catalog.products import Products
from core.errors import DatasetExistsError, StorageError, UnknownDatasetError, UsageError
from core.schema import PICTURES, PRODUCTS, REJECTED
from tests.conftest import PROJECT
from tests.shapes import csv_bytes, glami_files, glami_row, picture, write_files, write_zip


@pytest.fixture
def archive(tmp_path: Path) -> str:
    return str(write_zip(tmp_path / "g.zip", glami_files()))


def test_what_a_dataset_folder_holds(home, archive):
    report = import_dataset("glami", [archive], "g")
    assert sorted(path.name for path in home.iterdir()) == ["g"]
    assert pq.read_schema(home / "g" / "products.parquet").equals(PRODUCTS)
    assert pq.read_schema(home / "g" / "pictures.parquet").equals(PICTURES)
    assert pq.read_schema(home / "g" / "rejected.parquet").equals(REJECTED)
    described = json.loads((home / "g" / "dataset.json").read_text())
    assert described["fingerprint"] == report.fingerprint and described["rows"] == 4
    assert [row["row_id"] for row in Products.open("g").rows()] == [0, 1, 2, 3]


def test_the_fingerprint_is_the_contents(home, archive, tmp_path):
    one = import_dataset("glami", [archive], "one").fingerprint
    assert import_dataset("glami", [archive], "two").fingerprint == one
    other = glami_files() | {"GLAMI-1M-dataset/GLAMI-1M-test.csv": csv_bytes([glami_row(3, name="Other")])}
    assert import_dataset("glami", [str(write_zip(tmp_path / "h.zip", other))], "three").fingerprint != one


def test_a_name_is_taken_once(home, archive):
    import_dataset("glami", [archive], "g")
    with pytest.raises(DatasetExistsError, match="vitrine remove g"):
        import_dataset("glami", [archive], "g")


def test_two_imports_of_one_name_at_once(home, archive):
    """One wins, the others are told, nothing is left over."""
    outcomes: list[str] = []
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        try:
            import_dataset("glami", [archive], "g")
            outcomes.append("made")
        except DatasetExistsError:
            outcomes.append("taken")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "taken", "taken", "taken"]
    assert [path.name for path in home.iterdir()] == ["g"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a b", "-a", ".a", "runs", "UPLOADS", "a.", "ä", "a\0", "x" * 65, "a\n"])  # fmt: skip
def test_names_that_cannot_be(home, archive, name):
    with pytest.raises(UsageError, match="cannot be a dataset's name"):
        import_dataset("glami", [archive], name)
    with pytest.raises(UnknownDatasetError):
        info(name)
    assert not home.exists()


def test_there_is_no_such_layout(home):
    with pytest.raises(UsageError, match=r"no source 'nope'. Sources: glami, mep3m, table, folder"):
        import_dataset("nope", ["x"], "g")


def test_a_folder_of_that_name_that_is_no_dataset(home, archive):
    (home / "g").mkdir(parents=True)
    with pytest.raises(StorageError, match="exists already and is not a dataset"):
        import_dataset("glami", [archive], "g")


def test_a_home_that_cannot_be_written(archive, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/vitrine")):
        monkeypatch.setenv("VITRINE_HOME", str(place))
        with pytest.raises(StorageError, match=r"Cannot write to .*Choose another folder with VITRINE_HOME"):
            import_dataset("glami", [archive], "g")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match=r"Permission denied"):
        import_dataset("glami", [archive], "g")


@pytest.fixture
def tiny_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A VITRINE_HOME with 64 kB in all."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    monkeypatch.setenv("VITRINE_HOME", str(place))
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_full(tiny_disk, tmp_path):
    """The table or the pictures, whichever does not fit: nothing stays."""
    big = write_files(
        tmp_path, {"t.csv": b"name\n" + b"".join(os.urandom(50).hex().encode() + b"\n" for _ in range(3_000))}
    )
    with pytest.raises(StorageError, match=r"is full; nothing was stored. Free some space and run it again"):
        import_dataset("table", [str(big / "t.csv")], "t")
    assert list(tiny_disk.iterdir()) == []
    import pyarrow as pa

    pq.write_table(pa.table({"name": ["a"], "image": [os.urandom(200_000)]}), tmp_path / "p.parquet")
    with pytest.raises(StorageError, match="is full"):
        import_dataset("table", [str(tmp_path / "p.parquet")], "t")
    assert list(tiny_disk.iterdir()) == []
    write_files(tmp_path, {"u.csv": b"name\na\n"})
    assert import_dataset("table", [str(tmp_path / "u.csv")], "t").rows == 1


@pytest.mark.parametrize("when", ["open", "products", "pictures", "flush", "rename"])
def test_no_room_at_any_step(home, archive, monkeypatch, when):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    steps = {
        "open": ("pyarrow.parquet.ParquetWriter.__init__", full),
        "products": ("pyarrow.parquet.ParquetWriter.write_table", full),
        "pictures": ("pyarrow.parquet.write_table", full),
        "flush": ("os.fsync", full),
        "rename": ("pathlib.Path.rename", full),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*steps[when])
        with pytest.raises(StorageError, match="is full; nothing was stored"):
            import_dataset("glami", [archive], "g")
    assert list(home.iterdir()) == []
    assert import_dataset("glami", [archive], "g").rows == 4


SLOW_IMPORT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
from core.catalog.build import import_dataset
def progress(done, total, what):
    print("reading", flush=True)
    time.sleep(0.05)
import_dataset("table", [sys.argv[1]], "t", progress=progress)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle(home, tmp_path, how):
    """Ctrl-C cleans up; kill -9 cannot, but leaves no dataset, and the next import cleans up after it."""
    table = tmp_path / "t.csv"
    table.write_text("name\n" + "".join(f"product {number}\n" for number in range(300_000)))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_IMPORT, str(table)],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "VITRINE_HOME": str(home)},
    )  # fmt: skip
    assert process.stdout
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(how)
    assert process.wait(20) != 0
    process.stdout.close()
    assert datasets() == []
    assert len(list(home.iterdir())) == (0 if how == signal.SIGINT else 1)
    table.write_text("name\na\n")
    assert import_dataset("table", [str(table)], "t").rows == 1
    assert [path.name for path in home.iterdir()] == ["t"]


def test_an_import_at_work_is_not_swept_away(home, archive, tmp_path):
    def progress(*_: object) -> None:
        if not (home / "other").exists():
            import_dataset("glami", [archive], "other")

    assert import_dataset("glami", [archive], "g", progress=progress).rows == 4
    assert {dataset.name for dataset in datasets()} == {"g", "other"}


def test_nothing_is_listed_before_it_is_whole_or_after_it_went(home, archive, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(storage, "flush", lambda _: seen.extend(dataset.name for dataset in datasets()))
    import_dataset("glami", [archive], "g")
    delete = storage.shutil.rmtree
    monkeypatch.setattr(
        storage.shutil, "rmtree", lambda *a, **k: (seen.extend(d.name for d in datasets()), delete(*a, **k))
    )
    catalog.remove("g")
    assert seen == [] and list(home.iterdir()) == []
    with pytest.raises(UnknownDatasetError, match=r"no dataset named 'g' \(there is: none yet\)"):
        catalog.remove("g")


def test_no_file_stays_open(home, archive, tmp_path):
    def descriptors() -> set[str]:
        return {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}

    import_dataset("glami", [archive], "g")
    write_files(tmp_path, {"t.csv": b"name\na\n"})
    import_dataset("table", [str(tmp_path / "t.csv")], "t")
    with pytest.raises(Exception, match="train"):
        import_dataset("glami", [str(write_zip(tmp_path / "h.zip", {"a-test.csv": b"x"}))], "h")
    assert not [name for name in descriptors() if str(tmp_path) in name]


def test_odd_folders_in_the_home_are_passed_over(home, archive):
    import_dataset("glami", [archive], "g")
    for name, text in (("half", "{"), ("list", "[]"), ("old", '{"rows": 1}'), ("bad", '"\\ud800"')):
        (home / name).mkdir()
        (home / name / "dataset.json").write_text(text)
    assert [dataset.name for dataset in datasets()] == ["g"]
    with pytest.raises(UnknownDatasetError):
        info("half")


def test_a_moved_home_still_has_its_own_pictures(home, tmp_path, monkeypatch):
    """Pictures that came as bytes lie beside the table, by a relative path."""
    import pyarrow as pa

    from core.images.pictures import Pictures

    pq.write_table(pa.table({"name": ["a"], "image": [picture()]}), tmp_path / "p.parquet")
    import_dataset("table", [str(tmp_path / "p.parquet")], "t")
    home.rename(tmp_path / "moved")
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "moved"))
    assert Pictures(info("t")).read(Products.open("t").rows()[0]["image_id"]) == picture()


def test_rejected_rows_are_kept(home, tmp_path):
    write_files(tmp_path, {"t.csv": b"name,image\na,\n,\n,\nb,../x\n1,2,3\n"})
    report = import_dataset("table", [str(tmp_path / "t.csv")], "t")
    kept = duckdb.sql(f"SELECT * FROM '{home / 't' / 'rejected.parquet'}'").fetchall()
    assert len(kept) == sum(report.rejected.values()) == 4
    assert ("line 6", "3 fields instead of 2", '["1", "2", "3"]') in kept
