"""Every case of shared/data/imports/, with what is read of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.catalog.build import import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import ImageError, SourceError
from core.images.pictures import Pictures, decode

TITLES = {"item_id": "0764443682", "image": "https://m.media/a.jpg", "category": "Shirts"}
# folder, source, path below the folder, products, and some values of some of them by their position
CASES: list[tuple[str, str, str, int, dict[int, dict[str, Any]]]] = [
    ("01-pandas-index-read-as-category", "table", "data/shop.csv", 3, {0: {"item_id": "001", "category": "(no category)", "image_id": None}}),
    ("02-pandas-index-no-picture", "table", "data/shop.csv", 2, {0: {"item_id": "001", "category": "b", "image_id": None}}),
    ("03-unbalanced-quote-csv", "table", "data/shop.csv", 1_000, {499: {"item_id": "500", "name": "Product 500"}}),
    ("04-unbalanced-quote-tsv", "table", "data/shop.tsv", 5, {0: {"name": '"15 inch laptop'}, 3: {"name": 'Monitor 27"'}}),
    ("06-tsv-quoted-word", "table", "data/shop.tsv", 3, {0: {"name": '"Best" laptop'}, 1: {"name": '"Mouse"'}}),
    ("07-image-list-local", "table", "data/s.jsonl", 6, {0: {"image": "a.jpg"}, 3: {"category_path": ("Clothing", "Women", "Tops")}, 5: {"image": "https://x.com/a.jpg", "category": "Tops"}}),
    ("08-amazon2018-image-list", "table", "data/meta_Clothing.jsonl.gz", 1, {0: TITLES}),
    ("10-image-list-uint8", "table", "data/f.parquet", 1, {0: {"name": "a", "image": "4a0945534329d26c"}}),
    ("11-struct-category-and-name", "table", "data/f.parquet", 2, {0: {"name": "Shirt", "category": "Tops"}}),
    ("12-hf-classlabel-names-lost", "table", "data/f.parquet", 2, {0: {"category": "boot"}, 1: {"category": "sandal"}}),
    ("13-float-ids-and-labels", "table", "data/f.parquet", 4, {0: {"item_id": "1001", "category": "1"}}),
    ("14-missing-id-collides", "table", "data/shop.csv", 4, {2: {"item_id": "(no id, line 4)"}, 3: {"item_id": "4"}}),
    ("15-split-none-crash", "table", "data/shop.csv", 3, {0: {"split": None}, 1: {"split": None}, 2: {"split": "train"}}),
    ("16-split-path-crash", "table", "data/shop.csv", 2, {0: {"split": "path"}}),
    ("17-split-category-overwrites", "table", "data/shop.csv", 2, {0: {"split": "category", "category": "x"}}),
    ("18-macosx-folder-kills-splits", "folder", "data", 2, {0: {"split": "test", "category": "shoes"}}),
    ("20-imagefolder-metadata-ignored", "folder", "data", 3, {2: {"split": "train", "category": "c1", "image": "train/images/1.jpg"}}),
    ("21-imagefolder-flat-splits", "folder", "data", 4, {0: {"split": "test", "category": "shirt", "description": "red"}}),
    ("21-imagefolder-flat-splits", "folder", "data-imgfolder3", 2, {1: {"category": "jeans"}}),
    ("22-parquet-datetime-out-of-range", "table", "data/f.parquet", 1, {0: {"name": "a"}}),
    ("23-parquet-unknown-timezone", "table", "data/f.parquet", 1, {0: {"extra": {"ts": "2001-09-09 01:46:40.000Z"}}}),
    ("24-hf-cache-symlink", "folder", "data/snapshots/abc", 1, {0: {"category": "shoes", "split": "train"}}),
    ("24-hf-cache-symlink", "table", "data/snapshots/abc/data/train-00000-of-00001.parquet", 1, {0: {"name": "a"}}),
    ("25-csv-symlink-loses-pictures", "table", "data/proj/shop.csv", 1, {0: {"image": "img/a.jpg"}}),
    ("26-semicolon-csv", "table", "data/shop.csv", 2, {0: {"name": "Red shirt", "extra": {"price": "19,90"}}}),
    ("26-semicolon-csv", "table", "data-commatsv/shop.tsv", 1, {0: {"name": "Red shirt"}}),
    ("26-semicolon-csv", "table", "data-excelsep/shop.csv", 1, {0: {"name": "Red"}}),
    ("26-semicolon-csv", "table", "data-tabcsv/shop.csv", 1, {0: {"name": "Red shirt"}}),
    ("27-openclip-filepath", "table", "data/cc.csv", 2, {0: {"name": "Red shirt", "image": "img/a.jpg"}}),
    ("28-title-image-url", "table", "data/shop.csv", 1, {0: {"item_id": "0007", "image": "https://example.com/a.jpg"}}),
    ("29-utf16-csv", "table", "data/shop.csv", 3, {0: {"name": "Šaty červené"}}),
    ("30-cp1250-half-imported", "table", "data/shop.csv", 3, {0: {"name": "Šaty červené"}, 1: {"name": "Modré džíny"}}),
    ("31-empty-header-columns", "table", "data/shop.csv", 2, {0: {"name": "a", "category": "b"}}),
    ("33-nfc-nfd-path", "table", "data/s.csv", 14, {2: {"image": "img/a.jpg"}, 3: {"image": "img/a.jpg"}, 5: {"image": "img/a b.jpg"}, 8: {"image": "img/S\u030caty.jpg"}, 10: {"image": " lead.jpg"}, 11: {"image": "img/a.jpg"}}),
    ("34-nfc-nfd-two-classes", "folder", "data", 11, {0: {"category": " Boots "}}),
    ("35-protocol-relative-url", "table", "data/shop.csv", 2, {0: {"image": "https://cdn.example.com/a.jpg"}}),
    ("36-late-json-keys", "table", "data/s.jsonl", 1_010, {999: {"category": "(no category)"}, 1_000: {"item_id": "1000", "category": "Tops", "image_id": "a.jpg"}}),
    ("37-pictures-odd", "folder", "data", 30, {}),
    ("38-pictures-jpeg-without-eoi", "folder", "data", 10, {}),
    ("39-pretty-json-and-json-gz", "table", "data/s.jsonl", 1, {0: {"item_id": "1", "name": "a"}}),
    ("39-pretty-json-and-json-gz", "table", "data-jsonasjsonl/s.jsonl", 2, {1: {"item_id": "2", "name": "b"}}),
    ("39-pretty-json-and-json-gz", "table", "data-amazon/meta_Clothing.json.gz", 1, {0: TITLES}),
    ("40-parquet-shards-folder", "table", "data", 2, {1: {"item_id": "1", "split": "train"}}),
    ("41-mep3m-gbk", "mep3m", "data", 2, {0: {"category_path": ("服装", "女装"), "name": " 连衣裙 "}}),
    ("41-mep3m-gbk", "mep3m", "data-mepnan", 1, {0: {"category": "a", "name": None}}),
    ("43-img2dataset-shards", "folder", "data", 2, {0: {"name": "red shirt", "category": "(no category)"}}),
    ("43-img2dataset-shards", "table", "data/00000.parquet", 1, {0: {"name": "red shirt", "image": "http://x/a.jpg"}}),
]  # fmt: skip


def copy_of(case: str, shared_data: Path, tmp_path: Path) -> Path:
    """The case where links can be made and paths be filled in."""
    folder = tmp_path / case
    shutil.copytree(shared_data / "imports" / case, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if (folder / "make-links.sh").exists():
        if case.startswith("24"):
            for below in ("train/shoes", "data"):
                (folder / "data/snapshots/abc" / below).mkdir(parents=True, exist_ok=True)
        subprocess.run(["/bin/sh", "make-links.sh"], cwd=folder, check=True)
    for path in folder.rglob("s.csv"):
        path.write_bytes(path.read_bytes().replace(b"@HERE@", str(folder / "data").encode()))
    return folder


@pytest.mark.parametrize(("case", "source", "path", "rows", "wanted"), CASES)
def test_what_is_read(home, shared_data, tmp_path, case, source, path, rows, wanted):
    folder = copy_of(case, shared_data, tmp_path)
    assert import_dataset(source, [str(folder / path)], "t").rows == rows
    found = Products.open("t").rows(limit=2_000)
    for position, values in wanted.items():
        assert {key: found[position][key] for key in values} == values


@pytest.mark.parametrize(
    ("case", "broken"),
    [
        ("37-pictures-odd", {"c/empty.jpg", "c/html.jpg", "heic/i.heic"}),  # no bytes, HTML, no HEIC
        ("38-pictures-jpeg-without-eoi", set()),
    ],
)
def test_the_odd_pictures_are_shown(home, shared_data, tmp_path, case, broken):
    import_dataset("folder", [str(copy_of(case, shared_data, tmp_path) / "data")], "t")
    pictures = Pictures(info("t"))
    unseen = set()
    for row in Products.open("t").rows(limit=100):
        try:
            decode(pictures.read(row["image_id"]), 96)
        except ImageError:
            unseen.add(row["image_id"])
    assert unseen == broken


def test_two_columns_of_one_name(home, shared_data):
    with pytest.raises(SourceError, match="has the column name twice"):
        import_dataset(
            "table", [str(shared_data / "imports/32-duplicate-parquet-column/data/f.parquet")], "t"
        )


def test_every_case_is_here(shared_data):
    there = {folder.name for folder in (shared_data / "imports").iterdir() if folder.is_dir()}
    assert there == {case for case, *_ in CASES} | {"32-duplicate-parquet-column"}
