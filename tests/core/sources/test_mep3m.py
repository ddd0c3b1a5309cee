"""MEP-3M's annotations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core.catalog.build import BuildReport, import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import SourceError
from core.images.pictures import Pictures
from tests.shapes import picture


def imported(path: Path, records: Any = None, name: str = "m") -> BuildReport:
    if records is not None:
        path.write_bytes(records if isinstance(records, bytes) else json.dumps(records).encode())
    return import_dataset("mep3m", [str(path)], name)


def annotation(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "class_id": "7",
        "class_name": "母婴",
        "sub_class_id": "1",
        "sub_class_name": "孕妈奶粉",
        "subsub_class_id": "FALSE",
        "subsub_class_name": "FALSE",
        "img_path": f"Images/1/{number}.jpg",
        "title": "奶粉",
    } | changes


def test_the_real_sample(home, shared_data):
    report = imported(shared_data / "mep3m" / "annotations-1k.json")
    assert report.rows == 1_000 and not report.rejected
    assert report.warnings == ["1,000 products name a picture that is not beside the annotations."]
    first = Products.open("m").rows(limit=1)[0]
    assert first["category_path"] == ("母婴/玩具/童装", "孕妈奶粉") and first["category_id"] == "1"
    assert first["name"].startswith("【安满孕妈奶粉】") and first["language"] == "zh"
    assert first["extra"] == {"ocr": "AnmumH0 RuaRuwhl", "img_resolution": [220, 220, 3]}
    assert first["item_id"] == first["image_id"] == "1/1"


def test_a_folder_with_pictures_and_a_label_tree(home, shared_data, tmp_path):
    (tmp_path / "Images" / "1").mkdir(parents=True)
    (tmp_path / "Images" / "1" / "1.jpg").write_bytes(picture())
    shutil.copy(shared_data / "mep3m" / "dataset_info.xlsx", tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "dataset_info.xlsx", read_only=True).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True, max_row=2))
    first = dict(zip(rows[0], rows[1], strict=True))
    nameless = {
        "class_name": None,
        "sub_class_name": "",
        "class_id": first["class_id"],
        "sub_class_id": first["sub_class_id"],
    }
    (tmp_path / "annotation.json").write_text(json.dumps([annotation(), annotation(2, **nameless)]))
    report = imported(tmp_path)
    assert report.warnings == ["1 products name a picture that is not beside the annotations."]
    one, two = Products.open("m").rows()
    assert Pictures(info("m")).read(one["image_id"]) == picture()
    assert two["category_path"] == (first["class_name"], first["sub_class_name"])


@pytest.mark.parametrize("absent", ["FALSE", "FLASE", False, "", None])
def test_no_third_level_in_every_spelling(home, tmp_path, absent):
    with_third = annotation(2, subsub_class_id="12", subsub_class_name="三段")
    without = annotation(subsub_class_id=absent, subsub_class_name=absent)
    imported(tmp_path / "annotation.json", [with_third, without])
    one, two = Products.open("m").rows()
    assert one["category_path"] == ("母婴", "孕妈奶粉", "三段") and one["category_id"] == "12"
    assert two["category_path"] == ("母婴", "孕妈奶粉") and two["category_id"] == "1"


def test_records_that_cannot_be_products(home, tmp_path):
    records = [
        annotation(1, OCR="text", more={"a": "\ud800"}),
        annotation(2, img_path="../../etc/passwd"),
        annotation(3, img_path="/etc/passwd"),
        annotation(4, title="\ud800"),
        annotation(5, class_id=None, sub_class_id=None),
        "text",
        annotation(7, img_path=None, title=None),
    ]
    report = imported(tmp_path / "annotation.json", records)
    assert report.rows == 2
    assert report.rejected == {
        "image path leaves its folder": 2,
        "no category": 1,
        "not a JSON object": 1,
        "not valid Unicode": 1,
    }
    one, last = Products.open("m").rows()
    assert one["extra"]["ocr"] == "text"
    assert (last["item_id"], last["image_id"], last["name"]) == ("record-7", None, None)


def test_a_picture_that_is_a_symlink_out(home, tmp_path):
    (tmp_path / "data" / "Images" / "1").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(picture())
    (tmp_path / "data" / "Images" / "1" / "1.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(
        SourceError, match=r"no products in the source \(1 rows rejected: image path leaves its folder\)"
    ):
        imported(tmp_path / "data" / "annotation.json", [annotation()])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"[]", "no products in the source: the table has no rows"),
        (b'{"a": 1}', "is not a JSON list of annotations"),
        (b"\xff\xd8\xff", "is not a JSON list of annotations"),
        (
            json.dumps([annotation()] * 50).encode()[:-30],
            "it ends in the middle of a record: the file is incomplete",
        ),
        (b'[{"a": 1}, oops]', "is not valid JSON"),
        (b'[{"a": "\xff\xfe"}]', "no products in the source"),
    ],
)
def test_a_bad_file_is_a_clear_error(home, tmp_path, data, says):
    with pytest.raises(SourceError, match=says):
        imported(tmp_path / "annotation.json", data)


def test_a_byte_order_mark_is_no_matter(home, tmp_path):
    assert (
        imported(tmp_path / "annotation.json", b"\xef\xbb\xbf" + json.dumps([annotation()]).encode()).rows
        == 1
    )


def test_which_file_is_meant(home, tmp_path):
    with pytest.raises(SourceError, match="There is no annotation"):
        imported(tmp_path)
    for name in ("annotation.json", "annotation-2.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(SourceError, match="more than one annotation"):
        imported(tmp_path)


def test_a_broken_label_tree_is_left_out(home, tmp_path):
    (tmp_path / "dataset_info.xlsx").write_bytes(b"no workbook")
    report = imported(tmp_path / "annotation.json", [annotation()])
    assert report.rows == 1 and "dataset_info.xlsx could not be read" in report.warnings[0]


def test_paths_of_windows_missing_values_and_a_broken_byte(home, tmp_path):
    (tmp_path / "Images/1").mkdir(parents=True)
    (tmp_path / "Images/1/1.jpg").write_bytes(picture())
    records = [
        annotation(img_path="Images\\1\\1.jpg"),
        annotation(2, sub_class_id="NaN", sub_class_name="nan"),
    ]
    data = json.dumps(records, ensure_ascii=False).encode("gbk")
    imported(tmp_path / "annotation.json", data.replace("奶粉".encode("gbk") + b'"}]', b'\xff"}]'))
    rows = Products.open("m").rows()
    assert [(row["image"], row["category"]) for row in rows] == [("Images/1/1.jpg", "孕妈奶粉")]
    imported(tmp_path / "annotation.json", [annotation(class_id=7.0, sub_class_id=float("nan"))], "n")
    assert [(row["category"], row["category_id"]) for row in Products.open("n").rows()] == [("母婴", "7")]
