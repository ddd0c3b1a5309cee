"""Pictures sorted into one folder a class."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.catalog.build import BuildReport, import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import SourceError
from core.images.pictures import Pictures
from tests.shapes import picture, write_files


def imported(root: Path) -> BuildReport:
    return import_dataset("folder", [str(root)], "f")


def test_one_folder_a_class(home, tmp_path):
    root = write_files(
        tmp_path / "own",
        {"shoes/a.jpg": picture(), "shoes/boots/b.PNG": picture(kind="PNG"), "hats/c.webp": picture(kind="WEBP"),
         "hats/readme.txt": b"text", "loose.jpg": picture(), ".hidden/d.jpg": picture(), "hats/.e.jpg": picture()},
    )  # fmt: skip
    report = imported(root)
    assert report.splits == {"none": 3}
    assert report.warnings == ["2 files that are not pictures in a class folder were skipped."]
    rows = Products.open("f").rows()
    assert [(row["name"], row["category_path"]) for row in rows] == [
        ("c", ("hats",)),
        ("a", ("shoes",)),
        ("b", ("shoes", "boots")),
    ]
    assert Pictures(info("f")).read("shoes/a.jpg") == picture()


def test_a_level_of_splits_above(home, tmp_path):
    names = {
        "train/shoes/a.jpg",
        "train/hats/b.jpg",
        "VAL/shoes/c.jpg",
        "test/shoes/d.jpg",
        "train/loose.jpg",
    }
    report = imported(write_files(tmp_path / "own", dict.fromkeys(names, picture())))
    assert report.splits == {"train": 2, "validation": 1, "test": 1}
    assert {row["category"] for row in Products.open("f").rows()} == {"shoes", "hats"}


def test_a_class_called_test_is_no_split(home, tmp_path):
    report = imported(write_files(tmp_path / "own", {"test/a.jpg": picture(), "hats/b.jpg": picture()}))
    assert report.splits == {"none": 2}


def test_symlinks_out_and_names_that_are_not_text(home, tmp_path):
    root = write_files(tmp_path / "own", {"shoes/a.jpg": picture(), "<b>'\"/ü\u202e.jpg": picture()})
    write_files(tmp_path / "elsewhere", {"x.jpg": picture()})
    (root / "shoes" / "out.jpg").symlink_to(tmp_path / "elsewhere" / "x.jpg")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "shoes" / "dangling.jpg").symlink_to(root / "nothing.jpg")
    os.mkfifo(root / "shoes" / "pipe.jpg")
    (Path(os.fsdecode(os.fsencode(root / "shoes") + b"/\xff.jpg"))).write_bytes(picture())
    report = imported(root)
    assert report.rows == 2
    assert report.rejected == {"image path leaves its folder": 2, "file name is not UTF-8": 1}
    assert report.warnings == ["2 files that are not pictures in a class folder were skipped."]


def test_a_folder_that_will_not_do(home, tmp_path):
    (tmp_path / "file.jpg").write_bytes(picture())
    with pytest.raises(SourceError, match="is a file"):
        imported(tmp_path / "file.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="has no folders"):
        imported(tmp_path / "empty")
    (tmp_path / "empty" / "class").mkdir()
    with pytest.raises(SourceError, match="There are no products in the source"):
        imported(tmp_path / "empty")
    with pytest.raises(SourceError, match="There is no folder at"):
        imported(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_read(home, tmp_path, monkeypatch):
    """It must not be told as a dataset folder that cannot be written."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("core.sources.folder.walk", refuse)
    write_files(tmp_path / "own", {"shoes/a.jpg": picture()})
    with pytest.raises(SourceError, match=f"The source cannot be read .*{tmp_path}: Permission denied"):
        imported(tmp_path / "own")
