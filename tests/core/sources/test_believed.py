"""Files that people really have: kinds of tables that were misread once, each with its value."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.catalog.build import BuildReport, import_dataset
from core.catalog.preview import preview
from core.catalog.products import Products
from core.errors import SourceError
from core.images.previews import thumbnails
from core.sources.reading import ReadOptions
from core.statistics.overview import report
from core.statistics.summary import summary
from tests.shapes import picture, write_files


def table(path: Path, data: bytes | str, **options: str) -> BuildReport:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return import_dataset("table", [str(path)], "t", ReadOptions(**options))  # type: ignore[arg-type]


def values(*columns: str) -> list[tuple]:
    return [tuple(row[column] for column in columns) for row in Products.open("t").rows(limit=2_000)]


def test_a_stray_quote_swallows_nothing(home, tmp_path):
    rows = [f"{n},Tech,Product {n}" for n in range(1_000)]
    rows[9], rows[900] = '9,Tech,"15 inch laptop', '900,Tech,Monitor 27"'
    report = table(tmp_path / "a.csv", "id,category,name\n" + "\n".join(rows))
    assert report.rows == 1_000 and not report.rejected
    assert "1 lines with a quote" in report.warnings[0] and "first line 11" in report.warnings[0]
    assert values("name")[9] == ('"15 inch laptop',) and values("name")[899] == ("Product 899",)


def test_an_unclosed_quote_swallows_nothing(home, tmp_path):
    report = table(tmp_path / "a.csv", 'id,name\n1,a\n2,"b\n3,c\n4,d\n')
    assert values("item_id", "name") == [("1", "a"), ("2", '"b'), ("3", "c"), ("4", "d")] and report.warnings


def test_a_field_of_many_lines_is_kept_and_told(home, tmp_path):
    text = "\n".join(["line of text"] * 30)
    report = table(tmp_path / "a.csv", f'id,name\n1,"{text}"\n2,b\n')
    assert values("name") == [(text,), ("b",)]
    assert "1 fields have more than 20 lines (first line 2)" in report.warnings[0]


def test_quotes_in_a_tsv_are_letters_unless_all_enclose(home, tmp_path):
    table(tmp_path / "a.tsv", 'id\tname\n1\t"Best" laptop\n2\t"Mouse"\n3\tKey"board\n')
    assert values("name") == [('"Best" laptop',), ('"Mouse"',), ('Key"board',)]
    pd.DataFrame({"id": ["1"], "name": ['a\t"b"']}).to_csv(tmp_path / "b.tsv", sep="\t", index=False)
    import_dataset("table", [str(tmp_path / "b.tsv")], "u")
    assert Products.open("u").rows()[0]["name"] == 'a\t"b"'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "id;name;category;price\n1;Röd;Tops;19,90\n"),
        ("a.csv", "id\tname\tcategory\n1\tRöd\tTops\n"),
        ("a.tsv", "id,name,category\n1,Röd,Tops\n"),
        ("a.csv", "id|name|category\n1|Röd|Tops\n"),
        ("a.csv", "sep=;\r\nid;name;category\r\n1;Röd;Tops\r\n"),
        ("a.csv", "id,name,category\n1,Röd,Tops\n".encode("utf-16")),
        ("a.csv", "id,name,category\n1,Röd,Tops\n".encode("utf-16-le")),
        ("a.csv", "id,name,category,,\n1,Röd,Tops,,\n"),
        ("a.CSV.GZ", gzip.compress("Product ID,Product_Name,CATEGORY\n1,Röd,Tops\n".encode(), mtime=0)),
        ("a.json", '[{"id": 1.0, "name": "Röd", "category": "Tops"}]'),
        ("a.json", '{\n "id": "1",\n "name": "Röd",\n "category": ["Tops"]\n}\n'),
        ("a.jsonl", '[{"id": "1", "name": "Röd", "category": {"id": 3, "name": "Tops"}, "n": NaN}]'),
    ],
)  # fmt: skip
def test_every_dialect_is_the_same_product(home, tmp_path, name, data):
    report = table(tmp_path / name, data)
    assert values("item_id", "name", "category") == [("1", "Röd", "Tops")] and not report.rejected


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Šaty červené, modré džíny"),
        ("cp1252", "Robe d’été à fleurs"),
        ("gb18030", "连衣裙夏季新款女装"),
    ],
)
def test_an_encoding_is_found_told_and_said(home, tmp_path, encoding, text):
    data = f'id,name\n1,"{text}"\n2,Plain\n'.encode(encoding)
    report = table(tmp_path / "a.csv", data, encoding=encoding)
    assert values("name") == [(text,), ("Plain",)] and not report.warnings
    import_dataset("table", [str(tmp_path / "a.csv")], "found")
    assert Products.open("found").rows()[0]["name"] == text


def test_backslash_escaped_quotes(home, tmp_path):
    table(tmp_path / "a.csv", 'id,name\n1,"15\\" laptop, black"\n2,b\n')
    assert values("name") == [('15" laptop, black',), ("b",)]


def test_an_unnamed_index_is_no_column_of_ours(home, tmp_path):
    pd.DataFrame({"Product ID": ["001"], "Title": ["Red"]}).to_csv(tmp_path / "a.csv")
    report = import_dataset("table", [str(tmp_path / "a.csv")], "t")
    assert report.columns == {"item_id": "Product ID", "name": "Title"}
    assert values("item_id", "image_id", "category") == [("001", None, "(no category)")]


def test_what_was_not_used_is_named(home, tmp_path):
    report = table(tmp_path / "a.csv", "id,filepath,caption,main_cat_label\n1,img/a.jpg,Red,x\n")
    assert report.columns == {"item_id": "id", "image": "filepath", "name": "caption"}
    assert any("main_cat_label" in warning for warning in report.warnings)


def test_ids_that_became_floats_and_missing_ones(home, tmp_path):
    frame = pd.DataFrame({"id": [1001, None, 3], "name": [" a ", "b", "c"], "category": [1, 2, None]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "b.parquet")
    for name in ("a.csv", "b.parquet"):
        import_dataset("table", [str(tmp_path / name)], name[0])
        rows = Products.open(name[0]).rows()
        assert [row["category"] for row in rows] == ["1", "2", "(no category)"]
        assert [rows[0]["item_id"], rows[2]["item_id"]] == ["1001", "3"]
        assert rows[1]["item_id"] not in ("1001", "2", "3") and rows[0]["name"] == " a "


def test_lists_and_structures(home, tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture())
    rows = [
        {"id": "1", "name": {"en": "Shirt", "cs": "Košile"}, "image": ["a.jpg", "b.jpg"], "category": [["A", "B"], ["C"]]},
        {"id": "2", "name": "x", "image": [{"url": "https://x.com/a.jpg"}], "category": "['A', 'B']"},
        {"id": "3", "name": {"a": 1, "b": 2}},
    ]  # fmt: skip
    report = table(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert report.rejected == {"a structure without a text field": 1}
    assert values("name", "image", "category_path") == [
        ("Shirt", "a.jpg", ("A", "B")),
        ("x", "https://x.com/a.jpg", ("A", "B")),
    ]
    assert values("extra")[0][0]["image"] == ["a.jpg", "b.jpg"]


def test_parquet_as_hugging_face_writes_it(home, tmp_path):
    features = {"label": {"_type": "ClassLabel", "names": ["sandal", "boot"]}, "image": {"_type": "Image"}}
    data = {"image": [list(picture()), None], "label": [1, 0], "title": ["a", "b"]}
    written = pa.table({**data, "when": pa.array([10**18, None], pa.timestamp("us")),
                        "zone": pa.array([10**12, None], pa.timestamp("ms", "Foo/Bar"))})  # fmt: skip
    written = written.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    (tmp_path / "own").mkdir()
    for part in ("train-00000-of-00002", "test-00000-of-00001"):
        pq.write_table(written, tmp_path / "own" / f"{part}.parquet")
    import_dataset("table", [str(tmp_path / "own")], "t")
    assert values("name", "category", "split") == [
        ("a", "boot", "test"), ("b", "sandal", "test"), ("a", "boot", "train"), ("b", "sandal", "train"),
    ]  # fmt: skip
    assert values("extra")[0][0] == {"when": f"{10**18} us since 1970", "zone": "2001-09-09 01:46:40.000Z"}
    pq.write_table(pa.table([["a"], ["b"]], names=["name", "name"]), tmp_path / "twice.parquet")
    with pytest.raises(SourceError, match="has the column name twice"):
        import_dataset("table", [str(tmp_path / "twice.parquet")], "u")


def test_paths_as_people_write_them(home, tmp_path):
    write_files(tmp_path, {"img/a b.jpg": picture(), "img/S\u030caty.jpg": picture()})
    written = ["img\\a b.jpg", "img/a%20b.jpg", f"{tmp_path}/img/a b.jpg", f"file://{tmp_path}/img/a%20b.jpg"]
    lines = [f"{path},x" for path in [*written, " img//a b.jpg", "img/Šaty.jpg", "//cdn.example.com/a.jpg"]]
    table(tmp_path / "a.csv", "image,name\n" + "\n".join(lines))
    assert [image for (image,) in values("image")] == ["img/a b.jpg"] * 5 + [
        "img/S\u030caty.jpg",
        "https://cdn.example.com/a.jpg",
    ]


def test_links_of_a_cache(home, tmp_path):
    write_files(tmp_path, {"repo/blobs/77aa": picture(), "repo/blobs/0f": b"id,name,image\n1,a,../b.jpg\n"})
    (tmp_path / "repo/snapshots/abc/shoes").mkdir(parents=True)
    (tmp_path / "repo/snapshots/abc/shoes/a.jpg").symlink_to("../../../blobs/77aa")
    (tmp_path / "repo/snapshots/abc/t.csv").symlink_to("../../blobs/0f")
    import_dataset("folder", [str(tmp_path / "repo/snapshots/abc")], "t")
    assert values("image", "category") == [("shoes/a.jpg", "shoes")]
    with pytest.raises(SourceError, match="image path leaves its folder"):
        import_dataset("table", [str(tmp_path / "repo/snapshots/abc/t.csv")], "u")


def test_folders_as_people_have_them(home, tmp_path):
    mac = {
        "train/S\u030c/a.jpg": picture(),
        "test/Š/b.jfif": picture(),
        "__MACOSX/train/._a.jpg": b"",
        "docs/x.txt": b"",
    }
    hf = {"train/images/0.jpg": picture(), "train/metadata.csv": b"file_name,label\nimages/0.jpg,shirt\n"}
    shards = {"00000/000000000.jpg": picture(), "00000/000000000.txt": b"red shirt", "00000.parquet": b""}
    flat = {"train/a.jpg": picture(), "test/b.jpg": picture()}
    wanted = {
        "mac": [("test", "Š"), ("train", "Š")], "hf": [("train", "shirt")],
        "shards": [(None, "(no category)")], "flat": [("test", "(no category)"), ("train", "(no category)")],
    }  # fmt: skip
    for name, files in (("mac", mac), ("hf", hf), ("shards", shards), ("flat", flat)):
        import_dataset("folder", [str(write_files(tmp_path / name, files))], name)
        rows = Products.open(name).rows()
        assert [(row["split"], row["category"]) for row in rows] == wanted[name], name
    assert Products.open("shards").rows()[0]["name"] == "red shirt"


def test_keys_that_come_late(home, tmp_path):
    rows = [{"id": str(n), "name": "n"} for n in range(1_000)] + [
        {"id": "x", "name": "n", "category": "Tops"}
    ]
    table(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert values("category")[-1] == ("Tops",)


def test_a_split_may_be_called_anything(home, tmp_path):
    named = "".join(f"{split},a,x,{split}\n" for split in ("none", "path", "category", "label", "total"))
    table(tmp_path / "a.csv", f"id,name,category,split\n{named}2,b,y,\n3,c,y,train\n")
    answer = summary(Products.open("t"), None)
    assert {row["category"] for row in answer["categories"]} == {"x", "y"}
    assert report(Products.open("t"), None)


def test_a_preview_reads_the_head_and_writes_nothing(home, tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture())
    lines = [f"{n};Šaty {n};a.jpg;x" for n in range(5_000)]
    (tmp_path / "a.csv").write_bytes("\n".join(["id;Titel;foto;img label", *lines]).encode("cp1250"))
    found = preview("table", [str(tmp_path / "a.csv")], ReadOptions(columns={"name": "Titel"}))
    assert (found.rows, found.whole, len(found.products)) == (1_000, False, 20)
    assert (found.encoding, found.delimiter, found.unused) == ("cp1250", ";", ["img label"])
    assert found.columns == {"item_id": "id", "name": "Titel", "image": "foto"} and found.warnings
    assert found.products[3]["name"] == "Šaty 3" and thumbnails(found)[3].startswith(
        "data:image/webp;base64,"
    )
    assert not home.exists()
    none = preview("table", [str(tmp_path / "a.csv")], ReadOptions(columns={"name": "Titel", "image": ""}))
    assert "image" not in none.columns and thumbnails(none)[0] == ""


def test_what_many_parts_have_in_common_is_told_once(home, tmp_path):
    for part in range(30):
        write_files(tmp_path / "parts", {f"train-{part}.csv": f"id,name,main_label\n{part},a,x\n".encode()})
    told: list[str] = []
    report = import_dataset("table", [str(tmp_path / "parts")], "t", ReadOptions(notify=told.append))
    assert report.rows == 30 and told == ["train-0.csv (in utf-8, delimited by ,): item_id=id, name=name"]
    assert len(report.warnings) == 1 and report.warnings[0].endswith("The same in 29 more files.")
