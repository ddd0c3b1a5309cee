"""Tables that are written in an unusual way, read without a dataset being made: each with its values."""

from __future__ import annotations

import base64
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import SourceError
from core.progress import no_progress
from core.sources import folder, table
from core.sources.encoding import detect
from core.sources.reading import ReadOptions
from tests.shapes import picture, write_files


def read(path: Path, data: str | bytes, **options: Any) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """(products, reasons of rejected rows, warnings)."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    reading = table.read([str(path)], ReadOptions(**options), no_progress)
    products: list[dict[str, Any]] = []
    rejected: list[str] = []
    for batch in reading.batches:
        products += batch.products.to_pylist()
        rejected += batch.rejected.column("reason").to_pylist()
    return products, rejected, reading.warnings


A_B = [("1", "a", "x"), ("2", "b", "y")]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ("# exported\n# by a shop\nid,name,category\n1,a,x\n2,b,y\n", A_B),
        ("Products of 2024\n\nid,name,category\n1,a,x\n2,b,y\n", A_B),
        ("\n\nid,name,category\n\n1,a,x\n\n2,b,y\n", A_B),
        ('"sep=;"\nid;name;category\n1;a;x\n2;b;y\n', A_B),
        ("id,name,category\r1,a,x\r2,b,y\r", A_B),
        ("id;name;category\n1;a;x;\n2;b;y;\n", A_B),
        ('id, name, category\n1, "a, b", x\n2, "c", y\n', [("1", "a, b", "x"), ("2", "c", "y")]),
        ('"id","name","category"\n"1","a "big" one","x"\n"2","c, "d" e","y"\n', [("1", 'a "big" one', "x"), ("2", 'c, "d" e', "y")]),
        ('id,name,category\n1,"15" laptop",x\n2,"b",y\n', [("1", '15" laptop', "x"), ("2", "b", "y")]),
        ('id,name,category\n1,a,x\n2,"b,y\n', [("1", "a", "x"), ("2", '"b', "y")]),
        ('id,name,description\n1,a,"sizes,\n36,37,38\n39,40,41"\n2,b,c\n', [("1", "a", "(no category)"), ("2", "b", "(no category)")]),
        ('sku,name,description\nS1,a,"size,chest,length\nS,90,60\nM,95,62\nL,100,64\nXL,110,66"\n', [("S1", "a", "(no category)")]),
        ('id,name,category\n="007",a,x\n   ,\\N,y\n', [("007", "a", "x")]),
        ("id,name,category\nnan,a,nan\n", [("(no id, line 2)", "a", "(no category)")]),
        ("id,image,label,label_name\n1,a.jpg,3,shirt\n", [("1", None, "shirt")]),
        ("id,prod_name,product_type_name,path\n1,a,Vest,Home/Women\n", [("1", "a", "Vest")]),
        ("id;název;kategorie\n1;a;x\n2;b;y\n".encode("cp1250"), A_B),
        ("id,name,categories\n1,a,Apparel >> Tops\n", [("1", "a", "Tops")]),
    ],
)  # fmt: skip
def test_what_is_read(tmp_path, data, wanted):
    products, _, _ = read(tmp_path / "a.csv", data)
    assert [(row["item_id"], row["name"], row["category"]) for row in products] == wanted


ROWS = [{"id": "1", "title": "a", "category": "x"}, {"id": "2", "title": "b", "category": "y"}]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"total": 2, "products": ROWS}),
        json.dumps({"total": 2, "products": ROWS}, indent=1),
        json.dumps({row["id"]: {"title": row["title"], "category": row["category"]} for row in ROWS}),
        pd.DataFrame(ROWS).to_json(),
        pd.DataFrame(ROWS).to_json(orient="split"),
        pd.DataFrame(ROWS).to_json(orient="records", lines=True),
        "".join(json.dumps(row) for row in ROWS),
        "\n".join(repr(row) for row in ROWS),  # as Amazon's older files are
        "\n".join(json.dumps(row) + "," for row in ROWS),
        gzip.compress(json.dumps(ROWS).encode(), mtime=0),  # without .gz in its name
        json.dumps(ROWS, indent=2).replace("\n", "\r\n"),
    ],
)
def test_every_shape_of_json(tmp_path, data):
    products, rejected, _ = read(tmp_path / "a.json", data)
    assert [(row["item_id"], row["name"], row["category"]) for row in products] == A_B and not rejected


def test_coco_and_a_picture_in_base64(tmp_path):
    coco = {"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "category_id": 3}],
            "categories": [{"id": 3, "name": "shirt"}]}  # fmt: skip
    (tmp_path / "a.jpg").write_bytes(picture())
    products, _, _ = read(tmp_path / "a.json", json.dumps(coco))
    assert [(row["item_id"], row["image"], row["category"]) for row in products] == [("7", "a.jpg", "shirt")]
    row = {"id": 1, "title": "a", "image": base64.b64encode(picture()).decode()}
    products, _, warnings = read(tmp_path / "b.jsonl", json.dumps(row))
    assert len(products[0]["image"]) == 16 and not warnings


def test_values_of_parquet(tmp_path):
    kinds = pa.table(
        {
            "id": pa.array([b"\x00\xff" * 8], pa.binary(16)),
            "name": pa.array([{"value": {"en": "Shirt"}}]),
            "category": pa.array([[("en", "Tops"), ("cs", "Topy")]], pa.map_(pa.string(), pa.string())),
            "price": pa.array([Decimal("9.90")], pa.decimal128(10, 2)),
            "seen": pa.array([[10**18]], pa.list_(pa.timestamp("us"))),
        }
    )
    pq.write_table(kinds, tmp_path / "a.parquet")
    products, rejected, _ = read(tmp_path / "a.parquet", (tmp_path / "a.parquet").read_bytes())
    row = products[0]
    assert (row["item_id"], row["name"], row["category"]) == ("00ff" * 8, "Shirt", "Tops") and not rejected
    assert json.loads(row["extra"])["price"] == "9.90"
    labels = {"info": {"features": {"labels": [{"_type": "ClassLabel", "names": ["x", "y"]}]}}}
    listed = pa.table({"name": ["a"], "labels": pa.array([[1]])})
    pq.write_table(
        listed.replace_schema_metadata({"huggingface": json.dumps(labels)}), tmp_path / "b.parquet"
    )
    products, _, _ = read(tmp_path / "b.parquet", (tmp_path / "b.parquet").read_bytes())
    assert products[0]["category"] == "y"


def test_parts_in_folders_of_splits(tmp_path):
    write_files(tmp_path, {"train/0.csv": b"id,name\n1,a\n", "test/0.csv": b"id,name\n2,b\n"})
    reading = table.read([str(tmp_path)], ReadOptions(), no_progress)
    rows = next(iter(reading.batches)).products.to_pylist()
    assert [(row["item_id"], row["split"]) for row in rows] == [("2", "test"), ("1", "train")]
    (tmp_path / "dataset_info.json").write_text("{}")
    assert len(next(iter(table.read([str(tmp_path)], ReadOptions(), no_progress).batches)).products) == 2


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["data/train/a/1.jpg", "data/test/a/2.jpg"], [("test", "a"), ("train", "a")]),
        (
            ["images/train/1.jpg", "images/val/2.jpg"],
            [("train", "(no category)"), ("validation", "(no category)")],
        ),
        (["train/a/1.jpg", "extra/a/2.jpg"], [(None, "a"), (None, "a")]),
        (["train/train/1.jpg", "train/bus/2.jpg"], [("train", "bus"), ("train", "train")]),
    ],
)
def test_splits_of_folders(tmp_path, files, wanted):
    write_files(tmp_path, dict.fromkeys(files, picture()))
    reading = folder.read([str(tmp_path)], ReadOptions(), no_progress)
    rows = next(iter(reading.batches)).products.to_pylist()
    assert [(row["split"], row["category"]) for row in rows] == wanted
    assert bool(reading.warnings) == ("extra/a/2.jpg" in files)


def test_captions_of_one_flat_shard(tmp_path):
    write_files(tmp_path, {"000000000.jpg": picture(), "000000000.txt": b"red shirt"})
    reading = folder.read([str(tmp_path)], ReadOptions(), no_progress)
    assert next(iter(reading.batches)).products.to_pylist()[0]["name"] == "red shirt"


def test_a_header_that_lacks_the_index(tmp_path):
    products, rejected, _ = read(tmp_path / "a.csv", "name,category\n0,a,x\n1,b,y\n")  # as R writes it
    assert [(row["name"], row["category"], row["extra"]) for row in products] == [
        ("a", "x", '{"(unnamed 1)": "0"}'),
        ("b", "y", '{"(unnamed 1)": "1"}'),
    ] and not rejected


def test_two_tables_in_one_file(tmp_path):
    products, rejected, _ = read(tmp_path / "a.csv", "id,name\n1,a\nid,name\n2,b\n")
    assert [row["item_id"] for row in products] == ["1", "2"] and rejected == ["the header again"]


def test_a_table_without_a_header_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="has no header line"):
        read(tmp_path / "a.csv", "1,Red shirt,Tops,img/1.jpg\n2,Blue jeans,Bottoms,img/2.jpg\n")
    with pytest.raises(SourceError, match="--delimiter"):
        read(tmp_path / "b.csv", "id^name\n1^a\n")


def test_lines_that_may_be_rows_are_told(tmp_path):
    rows = "".join(f"{n},{'36' if n % 2 else 'M'},Product {n}\n" for n in range(3, 9))
    products, _, warnings = read(tmp_path / "a.csv", f'id,size,name\n1,M,"b\n{rows}9,M,c"\n')
    assert len(products) == 1 and "look like rows of their own (first line 2)" in warnings[0]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1253", "Φόρεμα κόκκινο"),
        ("cp1251", "Обувь"),
        ("koi8_r", "Платье красное летнее"),
        ("iso8859_2", "Šaty červené žluté"),
        ("cp1250", "Női ruha piros, ötven"),
        ("cp1250", "Sukienka czerwona żółta"),
        ("cp1250", "Rochie roşie de vară"),
        ("cp1252", "Größe 38 grün"),
        ("cp1252", "niño azul"),
        ("cp1252", "São Paulo algodão"),
        ("cp1252", "Kjole rød"),
        ("cp1252", "Men’s shirt 5€"),
        ("cp1254", "Kırmızı elbise, şık gömlek"),
        ("cp1257", "Raudona suknelė žieminė"),
        ("gb18030", "红色"),
        ("big5", "紅色連衣裙夏季"),
        ("shift_jis", "赤いドレス 夏"),
        ("euc_kr", "빨간 드레스 여름"),
    ],
)
def test_an_encoding_is_found_by_a_few_words(encoding, text):
    data = f"id,name\n1,{text}\n".encode(encoding)
    warnings: list[str] = []
    assert data.decode(detect(data, "a.csv", warnings)) == data.decode(encoding) and warnings
