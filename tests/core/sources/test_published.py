"""Layouts of published datasets, on small files in the true format, whole and broken."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.catalog import info
from core.catalog.build import BuildReport, import_dataset
from core.catalog.info import remove
from core.catalog.products import Products
from core.errors import SourceError
from core.images.pictures import Pictures, decode
from core.sources.reading import ReadOptions


def jpeg(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(out, "JPEG")
    return out.getvalue()


def load(source: str, *paths: Path, **options: Any) -> tuple[list[dict[str, Any]], BuildReport]:
    """Import as dataset d; its rows."""
    report = import_dataset(source, list(map(str, paths)), "d", ReadOptions(**options))
    found = Products(info.info("d")).query("SELECT * FROM products ORDER BY row_id").fetch_arrow_table()
    return found.to_pylist(), report


def picture(image_id: str) -> Image.Image:
    return decode(Pictures(info.info("d")).read(image_id))


# FashionGen


def fashiongen(path: Path, rows: int = 5, **changed: Any) -> Path:
    rng = np.random.default_rng(0)

    def texts(*values: str) -> Any:
        return np.array([[value.encode("latin-1")] for value in values[:rows]])

    fields: dict[str, Any] = {
        "input_image": rng.integers(0, 256, (rows, 16, 12, 3), np.uint8),
        "input_name": texts("Robe d'été", "Coat", "Boots", "Bag", "Hat"),
        "input_description": texts("En coton.", "Wool.", "", "Leather.", "Felt."),
        "input_category": texts("DRESSES", "JACKETS & COATS", "BOOTS", "BAGS", "HATS"),
        "input_subcategory": texts("SHORT DRESSES", "COATS", "ANKLE BOOTS", "", "CAPS"),
        "input_gender": texts("Women", "Men", "Women", "Women", "Men"),
        "input_concatenated_description": texts("a", "b", "Whole boots.", "d", "e"),
        "input_productID": np.array([[7], [8], [8], [9], [10]][:rows]),
        "index": np.arange(rows),
        **changed,
    }
    with h5py.File(path, "w") as file:
        for name, values in fields.items():
            if values is not None:
                file.create_dataset(name, data=values, compression="gzip" if name == "input_image" else None)
    return path


def test_fashiongen_is_read_in_place(home: Path, tmp_path: Path) -> None:
    train = fashiongen(tmp_path / "fashiongen_256_256_train.h5")
    fashiongen(tmp_path / "fashiongen_256_256_validation.h5", 2)
    rows, report = load("fashiongen", tmp_path)
    assert report.rows == 7 and [row["split"] for row in rows] == ["train"] * 5 + ["validation"] * 2
    first = rows[0]
    assert (first["item_id"], first["name"], first["description"]) == ("7", "Robe d'été", "En coton.")
    assert (
        first["category_path"] == ["DRESSES", "SHORT DRESSES"]
        and json.loads(first["extra"])["gender"] == "Women"
    )
    assert rows[3]["category_path"] == ["BAGS"] and rows[2]["description"] == "Whole boots."
    assert [row["item_id"] for row in rows[1:3]] == ["8", "8"]  # two pictures of one product
    with h5py.File(train) as file:
        assert (np.asarray(picture(rows[2]["image_id"])) == file["input_image"][2]).all()
    assert not (home / "d" / "pictures.zip").exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"input_name": None}, "has no input_name"),
        ({"input_gender": np.array([[b"Men"]] * 3)}, "input_gender has 3 rows and input_image has 5"),
        ({"input_image": np.zeros((5, 4, 4), np.uint8)}, "should be \\(rows, height, width, 3\\) of bytes"),
    ],
)
def test_fashiongen_with_a_wrong_field(
    home: Path, tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(SourceError, match=says):
        load("fashiongen", fashiongen(tmp_path / "train.h5", **changed))


def test_fashiongen_cut_short(home: Path, tmp_path: Path) -> None:
    path = fashiongen(tmp_path / "train.h5")
    path.write_bytes(path.read_bytes()[:3_000])
    with pytest.raises(SourceError, match="cut short"):
        load("fashiongen", path)


# Fashion Product Images

STYLES = """id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName
15970,Men,Apparel,Topwear,Shirts,Navy Blue,Fall,2011,Casual,Turtle Check Men Navy Blue Shirt
39386,Men,Apparel,Bottomwear,Jeans,Blue,Summer,2012,Casual,Peter England, Men Party, Blue Jeans
59263,Women,Accessories,Watches,Watches,Silver,Winter,2016,Casual
"""


def test_names_with_commas_are_put_together_again(home: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("15970", "39386"):
        (tmp_path / "images" / f"{name}.jpg").write_bytes(jpeg())
    (tmp_path / "styles.csv").write_text(STYLES)
    rows, report = load("fashionproducts", tmp_path)
    assert [row["name"] for row in rows] == [
        "Turtle Check Men Navy Blue Shirt", "Peter England, Men Party, Blue Jeans", None,
    ]  # fmt: skip
    assert rows[0]["category_path"] == ["Apparel", "Topwear", "Shirts"]
    assert json.loads(rows[0]["extra"])["baseColour"] == "Navy Blue"
    assert picture("15970").size == (8, 6) and rows[2]["image"] is None
    told = " ".join(report.warnings)
    assert "1 lines have commas in the product's name" in told and "1 lines have fewer fields" in told


def test_another_table_is_not_styles(home: Path, tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_text("id,name\n1,a\n")
    with pytest.raises(SourceError, match="use the source `table`"):
        load("fashionproducts", tmp_path / "styles.csv")


# Amazon

META_2018 = [
    {"asin": "B01", "title": "Red &amp; <b>blue</b> dress", "description": ["<p>Soft.</p>", "Warm&nbsp;too."],
     "category": ["Clothing, Shoes & Jewelry", "Women", "Dresses"], "price": "$19.99 - $25.00", "brand": "Acme",
     "imageURL": ["https://shop.example/s1.jpg"],
     "imageURLHighRes": ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]},
    {"asin": "B02", "title": "var aPageStart = (new Date()).getTime();", "category": []},
    {"asin": "B03", "title": "Local", "category": [], "main_cat": "Amazon Fashion"},
    {"title": "without an id"},
]  # fmt: skip
META_2023 = [
    {"main_category": "AMAZON FASHION", "title": "Boots", "parent_asin": "C01", "price": None, "categories": [],
     "description": [], "details": {"Department": "Womens"},
     "images": [{"variant": "PT01", "large": "https://shop.example/b.jpg"},
                {"variant": "MAIN", "hi_res": None, "large": "https://shop.example/a.jpg"}]},
]  # fmt: skip


def test_both_amazon_layouts(home: Path, tmp_path: Path) -> None:
    lines = [json.dumps(record) for record in META_2018]
    with gzip.open(tmp_path / "meta_Fashion.json.gz", "wt") as file:
        file.write("\n".join([*lines[:1], '{"asin": "B9", "title": "cut', *lines[1:]]))
    (tmp_path / "meta_Boots.jsonl").write_text(json.dumps(META_2023[0]) + "\n")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "B03.jpg").write_bytes(jpeg())
    rows, report = load("amazon", tmp_path)
    boots, dress, local = rows
    assert (dress["name"], dress["description"]) == ("Red & blue dress", "Soft.\nWarm too.")
    assert dress["category_path"] == ["Clothing, Shoes & Jewelry", "Women", "Dresses"]
    extra = json.loads(dress["extra"])
    assert extra["price"] == "$19.99 - $25.00" and extra["pictures"][1] == "https://shop.example/2.jpg"
    assert dress["image"] == "https://shop.example/1.jpg" and boots["image"] == "https://shop.example/a.jpg"
    assert boots["category_path"] == ["AMAZON FASHION"] and local["image"] == "images/B03.jpg"
    assert report.rejected == {"not a line of JSON": 1, "the title is a script of the page": 1, "no asin": 1}


def test_one_category_of_amazon(home: Path, tmp_path: Path) -> None:
    (tmp_path / "meta_a.json").write_text("\n".join(json.dumps(record) for record in META_2018))
    rows, report = load("amazon", tmp_path / "meta_a.json", only="dresses")
    assert [row["item_id"] for row in rows] == ["B01"]
    assert any("1 products of other categories" in line for line in report.warnings)


def test_half_a_gz(home: Path, tmp_path: Path) -> None:
    packed = gzip.compress("\n".join(json.dumps(record) for record in META_2018 * 500).encode())
    (tmp_path / "meta_a.json.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"meta_a.json.gz is damaged"):
        load("amazon", tmp_path)


# Digikala


def test_colours_are_categories_and_nothing_has_a_name(home: Path, tmp_path: Path) -> None:
    for colour in ("black", "red"):
        (tmp_path / colour).mkdir()
        (tmp_path / colour / "1.jpg").write_bytes(jpeg(colour))
    rows, _ = load("digikala", tmp_path)
    assert [(row["category"], row["name"], row["item_id"]) for row in rows] == [
        ("black", None, "black/1.jpg"), ("red", None, "red/1.jpg"),
    ]  # fmt: skip
    assert picture("red/1.jpg").getpixel((2, 2)) > (200, 0, 0)


# Hugging Face


def test_parquet_shards_with_class_names(home: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# A dataset\n")
    features = {"image": {"_type": "Image"}, "label": {"names": ["bag", "shoe"], "_type": "ClassLabel"}}
    kind = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64()), ("text", pa.string())],
        {"huggingface": json.dumps({"info": {"features": features}})},
    )  # fmt: skip
    for split, label in (("train", 1), ("test", 0)):
        rows = [
            {"image": {"bytes": jpeg(), "path": "a.jpg"}, "label": label, "text": split},
            {"image": {"bytes": None, "path": None}, "label": label, "text": "no bytes"},
        ]
        pq.write_table(
            pa.Table.from_pylist(rows, kind), tmp_path / "data" / f"{split}-00000-of-00001.parquet"
        )
    rows, _ = load("huggingface", tmp_path)
    assert (
        sorted((row["split"], row["category"]) for row in rows)
        == [("test", "bag")] * 2 + [("train", "shoe")] * 2
    )
    assert sum(row["image"] is None for row in rows) == 2 and info.info("d").licence == "cc-by-4.0"


def test_an_imagefolder_with_metadata(home: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.jpg").write_bytes(jpeg())
    (tmp_path / "train" / "metadata.jsonl").write_text(
        '{"file_name": "a.jpg", "title": "Shoe", "label": "shoes"}\n'
    )
    rows, _ = load("huggingface", tmp_path)
    assert [(row["name"], row["split"], row["category"]) for row in rows] == [("Shoe", "train", "shoes")]


# WebDataset


def tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_shards_are_read_in_place(home: Path, tmp_path: Path) -> None:
    label = json.dumps({"label": ["Shoes", "Boots"], "price": 3}).encode()
    first = [("0001.jpg", jpeg("red")), ("0001.json", label), ("0001.txt", "Červené boty".encode())]
    tar(
        tmp_path / "train-000.tar",
        [*first, ("0002.txt", b"only a text"), ("../evil.jpg", jpeg()), ("../evil.txt", b"x")],
    )
    tar(tmp_path / "train-001.tar", [("0001.png", jpeg("blue")), ("0001.cls", b"3")])
    rows, report = load("webdataset", tmp_path)
    assert [(row["name"], row["category_path"], row["split"]) for row in rows] == [
        ("Červené boty", ["Shoes", "Boots"], "train"), ("only a text", ["(no category)"], "train"), (None, ["3"], "train"),
    ]  # fmt: skip
    assert json.loads(rows[0]["extra"]) == {"price": 3} and len({row["item_id"] for row in rows}) == 3
    assert picture(rows[0]["image_id"]).getpixel((2, 2))[0] > 200
    assert picture(rows[2]["image_id"]).getpixel((2, 2))[2] > 200
    assert report.rejected == {"a name that leaves its folder": 1}
    assert any("1 samples have no picture" in line for line in report.warnings)


def test_a_shard_that_was_cut(home: Path, tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", [(f"{n}.{ending}", jpeg() if ending == "jpg" else b"text")
                                    for n in range(4) for ending in ("txt", "jpg")])  # fmt: skip
    whole = path.read_bytes()
    path.write_bytes(whole[:5_300])  # in a header
    rows, report = load("webdataset", path)
    assert [row["name"] for row in rows] == ["text", "text"] and "is cut short" in " ".join(report.warnings)
    path.write_bytes(whole[: whole.rindex(jpeg()[-40:])])  # in a picture
    remove("d")
    rows, report = load("webdataset", path)
    assert len(rows) == 3 and report.rejected == {"the shard is cut short in it": 1}


def test_a_compressed_shard_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(gzip.compress(tar(tmp_path / "b.tar", [("1.txt", b"a")]).read_bytes()))
    with pytest.raises(SourceError, match="cannot be read in place"):
        load("webdataset", tmp_path / "a.tar")


# Compressed tables


@pytest.mark.parametrize("kind", ["gz", "bz2", "zst"])
def test_a_compressed_table_is_read_as_it_unfolds(home: Path, tmp_path: Path, kind: str) -> None:
    text = ("id,title,label\n" + "".join(f"{n},shoe {n},shoes\n" for n in range(5_000))).encode()
    packed = {
        "gz": gzip.compress, "bz2": bz2.compress, "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    }[kind](text)  # fmt: skip
    path = tmp_path / f"shop.csv.{kind}"
    path.write_bytes(packed)
    rows, report = load("table", path)
    assert report.rows == 5_000 and rows[-1]["name"] == "shoe 4999"
    path.write_bytes(packed[: len(packed) // 2])
    remove("d")
    with pytest.raises(SourceError, match=f"shop.csv.{kind} is damaged"):
        load("table", path)
    path.write_bytes(packed[:12] + bytes(200))
    with pytest.raises(SourceError, match=f"shop.csv.{kind} is damaged"):
        load("table", path)
