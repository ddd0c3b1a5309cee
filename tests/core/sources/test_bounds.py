"""Small files that decompress to gigabytes: each gives one clear error, and takes neither memory nor disk."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.catalog import build
from core.catalog.build import import_dataset
from core.errors import SourceError, StorageError
from core.sources import bounds, delimited
from core.sources.glami import COLUMNS
from tests.conftest import PROJECT

MB = 2**20


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """A hundredth of the bounds, so that the files are made in a moment."""
    monkeypatch.setattr(bounds, "GROWTH_BYTES", 10 * MB)
    monkeypatch.setattr(delimited, "RECORD_CHARACTERS", MB)


def long_field(quoted: bool) -> bytes:
    text = b"a" * 4 * MB
    return b"id,name\n1,shoe\n2," + (b'"' + text + b'"' if quoted else text) + b"\n"


def dictionary(rows: int, text: str, in_lists: bool = False) -> bytes:
    """One text, named by every row."""
    names = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    if in_lists:
        names = pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), names)
    out = io.BytesIO()
    pq.write_table(pa.table({"id": range(rows), "name": names}), out, compression="zstd", store_schema=False)
    return out.getvalue()


def letters() -> bytes:
    out = io.BytesIO()
    table = pa.table({"id": range(20), "name": [chr(97 + row) * MB for row in range(20)]})
    pq.write_table(table, out, compression="zstd", use_dictionary=False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("line.csv", long_field(False), "line.csv: the record in line 3 is longer than 1 MB"),
        ("line.csv.gz", gzip.compress(long_field(True), 1), "the record in line 3 is longer than 1 MB"),
        ("lines.csv", b"id,name\n1,shoe\n2," + b'"x\n",' * MB, "the record in line 3 is longer than 1 MB"),
        ("header.csv", b"a" * 4 * MB, "header.csv: the record in line 1 is longer than 1 MB"),
        ("rows.csv.gz", gzip.compress(b"id,name\n" + (b"1," + b"x" * 2_000 + b"\n") * 6_000), "100 times its size"),
        ("letters.parquet", letters(), "letters.parquet decompresses to"),
        ("repeated.parquet", dictionary(6_000, "red shoes " * 200), "repeated.parquet decompresses to"),
        ("deep.json", b'[{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "line 1 is nested too deeply"),
    ],
)  # fmt: skip
def test_what_unfolds_is_one_line(home: Path, tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as caught:
        import_dataset("table", [str(tmp_path / name)], "evil")
    assert says in str(caught.value) and len(str(caught.value).splitlines()) == 1
    assert list(home.iterdir()) == []


def test_a_zip_whose_table_unfolds(home: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for split in ("train", "test"):
            archive.writestr(f"GLAMI-1M-{split}.csv", ",".join(COLUMNS) + "\n" + "a" * 12 * MB)
    with pytest.raises(SourceError, match=r"evil.zip:GLAMI-1M-train.csv decompresses to"):
        import_dataset("glami", [str(tmp_path / "evil.zip")], "evil")


def test_records_that_are_too_deep_or_too_long_are_rejected_alone(tmp_path: Path) -> None:
    deep, long = "[" * 300 + "]" * 300, "x" * (bounds.FIELD_CHARACTERS + 1)
    lines = [
        f'{{"name": "{name}", "more": {more}}}' for name, more in (("a", deep), (long, 1), ("b", "[[1]]"))
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    report = import_dataset("table", [str(tmp_path / "t.jsonl")], "some")
    assert report.rows == 1 and report.rejected == {bounds.NESTED: 1, bounds.LONG: 1}


def test_an_import_leaves_room_on_the_disk(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("id,name\n1,shoe\n")
    monkeypatch.setattr(build, "FREE_BYTES", 2**62)
    import_dataset("table", [str(tmp_path / "t.csv")], "small")
    monkeypatch.setattr(build, "FEW_BYTES", 0)
    with pytest.raises(StorageError, match=r"GB left; the import was stopped"):
        import_dataset("table", [str(tmp_path / "t.csv")], "large")
    assert [path.name for path in home.iterdir()] == ["small"]


def test_an_import_has_a_memory_limit_of_its_own(home: Path, tmp_path: Path) -> None:
    """4 kB of Parquet: 1,000 rows with a list of one text of 3 MB each, whose size only reading tells."""
    (tmp_path / "evil.parquet").write_bytes(dictionary(1_000, "x" * 3 * MB, in_lists=True))
    command = [
        sys.executable,
        "-m",
        "core",
        "import",
        "table",
        str(tmp_path / "evil.parquet"),
        "--name",
        "evil",
    ]
    environment = os.environ | {"VITRINE_IMPORT_MB": "1500", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: The import needs more memory than 1.5 GB and was stopped")
    assert list(home.iterdir()) == []
