"""Tables of one's own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.catalog.build import BuildReport, import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import ImageError, SourceError, UsageError
from core.images.pictures import Pictures
from core.sources.reading import ReadOptions
from tests.shapes import csv_bytes, picture, serve

ROWS = [
    {
        "id": "1",
        "title": "Röd äpple",
        "image": "images/1.jpg",
        "label": "Fruit > Apple",
        "split": "val",
        "colour": "red",
    },
    {
        "id": "2",
        "title": "Pear, green",
        "image": "images/2.jpg",
        "label": "Fruit > Pear",
        "split": "train",
        "colour": "",
    },
    {"id": "3", "title": "", "image": "images/none.jpg", "label": "", "split": "", "colour": "blue"},
]


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    """Where a table's pictures lie."""
    (tmp_path / "own" / "images").mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / "own" / "images" / f"{number}.jpg").write_bytes(picture())
    return tmp_path / "own"


def imported(path: Path, data: bytes | None = None, name: str = "t", **options: object) -> BuildReport:
    if data is not None:
        path.write_bytes(data)
    return import_dataset("table", [str(path)], name, ReadOptions(**options))  # type: ignore[arg-type]


def products() -> list[dict]:
    return Products.open("t").rows(limit=100)


def jsonl(rows: list[dict]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def parquet(path: Path, rows: list[dict]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_kind_of_table_is_the_same_products(folder, kind):
    path = folder / f"own.{kind}"
    if kind == "parquet":
        parquet(path, ROWS)
    else:
        lines = (
            jsonl(ROWS) if "jsonl" in kind else csv_bytes(ROWS, list(ROWS[0]), "\t" if kind == "tsv" else ",")
        )
        path.write_bytes(gzip.compress(lines, mtime=0) if kind.endswith("gz") else lines)
    report = imported(path)
    assert report.splits == {"train": 1, "validation": 1, "none": 1}
    assert report.warnings == ["1 products name a picture that is not beside the table."]
    one, two, three = products()
    assert (one["item_id"], one["name"], one["category"]) == ("1", "Röd äpple", "Apple")
    assert one["category_path"] == ("Fruit", "Apple") and one["extra"] == {"colour": "red"}
    assert two["name"] == "Pear, green" and two["extra"] == {}
    assert (three["name"], three["category"], three["image"]) == (None, "(no category)", None)
    assert Pictures(info("t")).read(one["image_id"]) == picture()


def test_the_real_tables(home, shared_data):
    report = imported(shared_data / "grocery" / "products.csv")
    assert report.rows == 5_421 and not report.rejected and not report.warnings
    assert set(report.splits) == {"train", "validation", "test"}
    assert len(Products.open("t").categories()) == 81
    assert Pictures(info("t")).read("images/00000.jpg")[:2] == b"\xff\xd8"
    report = import_dataset("table", [str(shared_data / "magento" / "products.csv")], "m")
    assert report.rows == 417 and report.splits == {"none": 417} and not report.rejected


def test_columns_are_mapped(folder):
    rows = [{"ref": "a", "title": "not this", "what": "Apple", "image": "images/1.jpg"}]
    imported(folder / "own.csv", csv_bytes(rows, list(rows[0])), columns={"name": "what", "item_id": "ref"})
    (one,) = products()
    assert (one["item_id"], one["name"], one["extra"]) == ("a", "Apple", {"title": "not this"})
    with pytest.raises(UsageError, match=r"--map name=nope: own.csv has no such column. It has: ref, title"):
        imported(folder / "own.csv", name="u", columns={"name": "nope"})
    with pytest.raises(UsageError, match="--map knows no column colour"):
        imported(folder / "own.csv", name="u", columns={"colour": "ref"})


def test_the_separator_of_categories(folder):
    rows = [{"name": "a", "category": "Fruit/Apple"}, {"name": "b", "category": "/"}]
    imported(folder / "own.csv", csv_bytes(rows, list(rows[0])), separator="/")
    assert [row["category_path"] for row in products()] == [("Fruit", "Apple"), ("(no category)",)]
    with pytest.raises(UsageError, match="separator of category paths is empty"):
        imported(folder / "own.csv", name="u", separator="")


def test_a_category_may_be_a_list(folder):
    rows = [{"name": "a", "category": ["Food > drink", "Tea"]}, {"name": "b", "category": ["Fruit"]}]
    imported(folder / "own.jsonl", jsonl(rows), separator="/")
    assert [row["category_path"] for row in products()] == [("Food > drink", "Tea"), ("Fruit",)]


def test_json_lines_need_not_all_have_every_key(folder):
    rows = [{"title": "first"}, {"title": "second", "description": "text", "n": 1}]
    imported(folder / "own.jsonl", jsonl(rows))
    assert [row["description"] for row in products()] == [None, "text"]
    assert products()[1]["extra"] == {"n": 1}


def test_pictures_as_bytes(folder):
    red, blue = picture(color="red"), picture(color="blue")
    rows = [
        {"id": "1", "name": "a", "image": {"bytes": red, "path": "x.jpg"}, "other": b"\xff\xfe"},
        {"id": "2", "name": "b", "image": {"bytes": blue, "path": None}, "other": None},
        {"id": "3", "name": "c", "image": {"bytes": red, "path": None}, "other": None},
        {"id": "4", "name": "d", "image": {"bytes": None, "path": "images/2.jpg"}, "other": b"text"},
    ]
    report = imported(parquet(folder / "own.parquet", rows))
    assert report.rows == 4 and not report.rejected
    one, two, three, four = products()
    pictures = Pictures(info("t"))
    assert pictures.read(one["image_id"]) == red and pictures.read(two["image_id"]) == blue
    assert one["image_id"] == three["image_id"]  # kept once
    assert pictures.read(four["image_id"]) == picture()
    assert one["extra"] == {"other": "(2 bytes)"} and four["extra"] == {"other": "text"}
    rows = [{"name": "a", "image": red}, {"name": "b", "image": b""}]
    import_dataset("table", [str(parquet(folder / "plain.parquet", rows))], "plain")
    assert Products.open("plain").rows()[1]["image"] is None
    (folder / "own.parquet").unlink()
    assert pictures.read(two["image_id"]) == blue  # they are in the dataset's own folder


def test_pictures_from_the_web(folder, monkeypatch):
    with serve(folder) as (address, _):
        rows = [{"name": "a", "image": f"{address}/images/1.jpg"}]
        imported(folder / "own.csv", csv_bytes(rows, list(rows[0])))
        (one,) = products()
        with pytest.raises(ImageError, match="is a private address"):
            Pictures(info("t")).read(one["image_id"])
        monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
        assert Pictures(info("t")).read(one["image_id"]) == picture()


def test_one_image_id_for_two_pictures_is_told(folder):
    rows = [{"name": str(n), "image": f"images/{n}.jpg", "image_id": "same"} for n in (2, 1)]
    report = imported(folder / "own.csv", csv_bytes(rows, list(rows[0])))
    assert "1 image_ids belong to more than one picture; the first of each is shown" in report.warnings[0]
    assert Pictures(info("t")).places(["same"])["same"].image == "images/2.jpg"


def test_paths_that_lead_out_are_rejected(folder, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(picture())
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "out").symlink_to(tmp_path)
    (folder / "inner.jpg").symlink_to(folder / "images" / "1.jpg")
    out = [
        "../secret.jpg",
        str(tmp_path / "secret.jpg"),
        "images/../../secret.jpg",
        "link.jpg",
        "out/secret.jpg",
    ]
    out += ["..\\secret.jpg", "C:\\secret.jpg"]
    rows = [{"name": path, "image": path} for path in [*out, "inner.jpg", "x" * 5_000, "images"]]
    report = imported(folder / "own.csv", csv_bytes(rows, list(rows[0])))
    assert report.rejected == {"image path leaves its folder": len(out)}
    assert [row["image"] for row in products()] == ["inner.jpg", None, None]


def test_a_symlink_made_after_the_import_is_not_followed(folder, tmp_path):
    imported(folder / "own.csv", csv_bytes(ROWS, list(ROWS[0])))
    (tmp_path / "secret.jpg").write_bytes(picture())
    (folder / "images" / "1.jpg").unlink()
    (folder / "images" / "1.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(ImageError, match="is not inside the dataset's folder"):
        Pictures(info("t")).read("images/1.jpg")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"", "is empty: it has no header line"),
        ("a.csv", b"name,image\n", "no products in the source: the table has no rows"),
        ("a.jsonl", b"", "no products in the source: the table has no rows"),
        ("a.csv", b"x,y\n1,2\n", r"no column for a name or a picture \(it has: x, y\).*--map name=title"),
        ("a.jsonl", b'{"x": 1}\n', "no column for a name or a picture"),
        ("a.csv", b"name,name\n1,2\n", "has the column name twice"),
        ("a.csv", b'name,image\n1,"2', "ends in the middle of a quoted field"),
        ("a.csv", b"\xff\xd8\xff\xe0\0\x10JFIF", "is not a table in UTF-8"),
        ("a.csv.gz", gzip.compress(b"name\n" + b"abc\n" * 99, mtime=0)[:-12], "is damaged"),
        ("a.csv.gz", b"\x1f\x8bname,abc", "is damaged"),
        ("a.parquet", b"PAR1 cut", "cannot be read as Parquet"),
        ("a.txt", b"name\nx\n", "a table has the extension .csv, .tsv"),
        ("a.csv", b"name,image\n,\n", r"no products in the source \(1 rows rejected: neither a name nor a picture\)"),
    ],
)  # fmt: skip
def test_a_bad_table_is_a_clear_error(home, tmp_path, name, data, says):
    with pytest.raises(SourceError, match=says):
        imported(tmp_path / name, data)
    assert list(home.iterdir()) == []


def test_a_cut_parquet_file(folder):
    path = parquet(folder / "own.parquet", ROWS * 100)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        imported(path, path.read_bytes()[:-50])


def test_bad_lines_are_counted(home, tmp_path):
    deep = b'{"name": ' + b"[" * 100_000 + b"\n"
    lines = (
        b'{"name": "good"}\n{"name": \n[1]\n\n'
        + deep
        + b'{"name": "\\ud800"}\n{"name": "x", "more": ["\\ud800"]}\n'
    )
    report = imported(tmp_path / "a.jsonl", lines)
    assert report.rows == 1
    assert report.rejected == {
        "not a line of JSON": 1,
        "nested deeper than 100 levels": 1,
        "not a JSON object": 1,
        "not UTF-8": 2,
    }


def test_a_record_without_end_is_refused(home, tmp_path, monkeypatch):
    monkeypatch.setattr("core.sources.json_records.LINE_BYTES", 1_000)
    with pytest.raises(SourceError, match="is not JSON Lines: line 2 is longer"):
        imported(tmp_path / "a.jsonl", b'{"name": "a"}\n' + json.dumps({"name": "a" * 2_000}).encode())


def test_a_table_is_one_file(home, tmp_path):
    with pytest.raises(SourceError, match="is a folder"):
        imported(tmp_path)
    with pytest.raises(SourceError, match="There is no table at"):
        imported(tmp_path / "none.csv")
    with pytest.raises(SourceError, match="takes one path"):
        import_dataset("table", ["a.csv", "b.csv"], "t")
