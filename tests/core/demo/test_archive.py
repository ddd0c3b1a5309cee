import csv
import hashlib
import io
import zipfile

import pandas as pd
import pytest
from PIL import Image

from core.demo import archive, looks, parameters, structure, tree
from core.errors import StorageError, UsageError, VitrineError
from tests.core.demo import standin

# Of the CSV files of 500 items with seed 0, train then test. A change here means that everybody's built-in
# dataset changes: on purpose only.
CSV_SHA256 = "3df23f316b640707aef644f34d8d46175eb27344d3f7313da771c798cd5c0dee"


def _write(folder, items=40, seed=0, **more):
    more.setdefault("draw", standin.draw)
    archive.write_glami(folder / "demo.zip", folder / "truth.parquet", items, seed, **more)
    return folder / "demo.zip"


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_seed_writes_the_same_bytes_whoever_draws(tmp_path, monkeypatch):
    first = tmp_path / "one"
    second = tmp_path / "two"
    monkeypatch.setattr(archive.pictures, "ALONE", 1_000)  # in this process
    _write(first, 60)
    monkeypatch.setattr(archive.pictures, "ALONE", 0)  # in several
    monkeypatch.setattr(archive.pictures.os, "cpu_count", lambda: 2)
    _write(second, 60)
    assert _sha256(first / "demo.zip") == _sha256(second / "demo.zip")
    assert _sha256(first / "truth.parquet") == _sha256(second / "truth.parquet")
    assert _sha256(_write(tmp_path / "three", 60, seed=1)) != _sha256(first / "demo.zip")


def test_the_words_and_the_structure_have_not_changed_unawares():
    plan = structure.plan(500, 0)
    digest = hashlib.sha256()
    for split in ("train", "test"):
        for lines in archive.csv_lines(plan, split):
            digest.update(lines)
    assert digest.hexdigest() == CSV_SHA256


def test_the_archive_has_glamis_layout(tmp_path):
    with zipfile.ZipFile(_write(tmp_path, 40)) as made:
        names = made.namelist()
        tables = {
            split: list(
                csv.DictReader(io.StringIO(made.read(f"GLAMI-1M-dataset/GLAMI-1M-{split}.csv").decode()))
            )
            for split in ("train", "test")
        }
        first = Image.open(io.BytesIO(made.read(names[0])))
        assert first.size == (228, 298)
        assert first.format == "JPEG"
        assert {info.date_time for info in made.infolist()} == {archive.STAMP}
    rows = tables["train"] + tables["test"]
    assert list(rows[0]) == list(archive.COLUMNS)
    assert len(rows) == 40
    pictures = {f"GLAMI-1M-dataset/images/{row['image_id']}.jpg" for row in rows}
    assert pictures | {f"GLAMI-1M-dataset/GLAMI-1M-{split}.csv" for split in tables} == set(names)
    for row in rows:
        assert int(row["category"]) == tree.leaves()[row["category_name"]].category_id
    truth = pd.read_parquet(tmp_path / "truth.parquet")
    assert [str(item) for item in truth["item_id"]] == [row["item_id"] for row in rows]
    assert list(truth["category_name"]) == [row["category_name"] for row in rows]


def test_every_picture_is_reported_once(tmp_path):
    seen: list[tuple[int, int]] = []
    _write(tmp_path, 30, progress=lambda done, total: seen.append((done, total)))
    total = seen[0][1]
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_doctored_pictures_differ_from_the_drawing():
    look = looks.Look("womens-dresses", "red", "plain", "cotton", 5)
    plain = archive.pictures.render(archive.Task(look, 90), standin.draw)
    files = {plain}
    for change in parameters.DUPLICATES:
        data = archive.pictures.render(archive.Task(look, 90, change, "blue"), standin.draw)
        assert Image.open(io.BytesIO(data)).size == (228, 298)
        files.add(data)
    assert len(files) == 5


def test_a_recoloured_picture_keeps_its_background():
    look = looks.Look("womens-dresses", "red", "plain", "cotton", 5)
    task = archive.Task(look, 95, "recoloured", "blue")
    picture = Image.open(io.BytesIO(archive.pictures.render(task, standin.draw)))
    assert picture.getpixel((2, 2)) == pytest.approx((240, 240, 240), abs=3)
    assert picture.getpixel((120, 150)) == pytest.approx(looks.COLOURS["blue"], abs=12)


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Interrupted, ValueError])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, kind):
    (tmp_path / "demo.zip").write_bytes(b"an older dataset")

    def stop(done, total):
        if done == 3:
            raise kind

    with pytest.raises(kind):
        _write(tmp_path, 30, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["demo.zip"]
    assert (tmp_path / "demo.zip").read_bytes() == b"an older dataset"


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(StorageError, match="disk is full"):
        _write(tmp_path, 30, draw=standin.full_disk)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(archive.pictures, "ALONE", 0)
    monkeypatch.setattr(archive.pictures.os, "cpu_count", lambda: 2)
    with pytest.raises(VitrineError, match="killed"):
        _write(tmp_path, 10, draw=standin.killed)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        archive.write_glami(
            tmp_path / "file" / "demo.zip", tmp_path / "truth.parquet", 5, 0, draw=standin.draw
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("items", "seed"), [(0, 0), (10, -1), (10**9, 0)])
def test_bad_numbers_write_nothing(tmp_path, items, seed):
    with pytest.raises(UsageError):
        _write(tmp_path, items, seed)
    assert list(tmp_path.iterdir()) == []
