"""GLAMI's layout in each of its shapes, and each way in which it comes broken."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.catalog.build import BuildReport, import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import SourceError
from core.images.pictures import Pictures, decode
from core.sources.reading import ReadOptions
from tests.shapes import csv_bytes, glami_files, glami_row, picture, serve, write_files, write_zip

TRAIN = "GLAMI-1M-dataset/GLAMI-1M-train.csv"
TEST = "GLAMI-1M-dataset/GLAMI-1M-test.csv"


def imported(*paths: Path | str, name: str = "g", options: ReadOptions | None = None) -> BuildReport:
    return import_dataset("glami", [str(path) for path in paths], name, options)


def test_the_real_archive_is_read_in_place(glami_mini):
    dataset = info(glami_mini)
    assert dataset.splits == {"train": 4_459, "test": 637}
    assert dataset.rejected == {} and dataset.warnings == []
    assert dataset.with_picture == 5_096
    products = Products.open(glami_mini)
    first = products.rows(limit=1)[0]
    assert (first["item_id"], first["image_id"], first["geo"], first["language"]) == (
        "500003",
        "200001",
        "lt",
        "lt",
    )
    assert first["category_path"] == ("shirt",) and first["label_kind"] == "human"
    assert first["name_length"] == len(first["name"])
    assert products.facet("label_kind") == {"human": 3_955, "machine": 1_141}
    assert not list(dataset.folder.rglob("*.jpg"))  # nothing was unpacked
    assert decode(Pictures(dataset).read("200001")).width > 50


def test_an_unpacked_folder_is_the_same_products(glami_mini, shared_data, tmp_path, monkeypatch):
    expected = Products.open(glami_mini).table("SELECT * EXCLUDE (image) FROM cohort ORDER BY row_id")
    with zipfile.ZipFile(shared_data / "glami-mini.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    report = imported(tmp_path / "unpacked")
    assert report.splits == {"train": 4_459, "test": 637} and not report.warnings
    assert Products.open("g").table("SELECT * EXCLUDE (image) FROM cohort ORDER BY row_id").equals(expected)
    assert decode(Pictures(info("g")).read("200001")).width > 50


def test_an_archive_on_a_server_is_read_by_ranges(home, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    files = glami_files() | {f"images/big-{n}.jpg": bytes([n]) * 3_000_000 for n in range(3)}
    write_zip(tmp_path / "g.zip", files, zipfile.ZIP_STORED)
    with serve(tmp_path) as (address, asked):
        report = imported(f"{address}/g.zip")
        assert report.rows == 4
        assert "whole" not in asked and len(asked) < 12
        del asked[:]
        assert Pictures(info("g")).read("1") == files["GLAMI-1M-dataset/images/1.jpg"]
        assert len(asked) == 1  # a picture is one request
    with pytest.raises(Exception, match="does not answer"):
        Pictures(info("g")).read("2")


def test_a_server_without_ranges_is_a_clear_error(home, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    write_zip(tmp_path / "g.zip", glami_files())
    with (
        serve(tmp_path, ranges=False) as (address, _),
        pytest.raises(SourceError, match=r"does not support byte ranges.*Download it and import the file"),
    ):
        imported(f"{address}/g.zip")


def test_a_url_that_is_not_there_or_not_a_zip(home, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "text.zip").write_text("<html>Please log in</html>" * 9)
    with serve(tmp_path) as (address, _):
        with pytest.raises(SourceError, match=r"answers 404.*Check the URL"):
            imported(f"{address}/no.zip")
        with pytest.raises(SourceError, match="0 bytes"):
            imported(f"{address}/empty.zip")
        with pytest.raises(SourceError, match=r"not a zip archive.*starts with b'<html>"):
            imported(f"{address}/text.zip")
    with pytest.raises(SourceError, match="does not answer"):
        imported(f"{address}/g.zip")


def test_several_zips_are_one_dataset(home, tmp_path):
    files = glami_files(train=4)
    tables = {name: data for name, data in files.items() if name.endswith(".csv")}
    one = write_zip(
        tmp_path / "1.zip", {n: d for n, d in files.items() if n.endswith(("0.jpg", "1.jpg"))} | tables
    )
    two = write_zip(
        tmp_path / "2.zip", {n: d for n, d in files.items() if not n.endswith(("0.jpg", "1.jpg"))}
    )
    report = imported(one, two)
    assert report.rows == 5 and not report.warnings
    pictures = Pictures(info("g"))
    assert {place.part for place in pictures.places(["0", "4"]).values()} == {0, 1}
    assert pictures.read("4") == files["GLAMI-1M-dataset/images/4.jpg"]


def test_a_second_copy_of_a_table_is_fine_another_one_is_not(home, tmp_path):
    one = write_zip(tmp_path / "1.zip", glami_files())
    two = write_zip(tmp_path / "2.zip", {TRAIN: glami_files()[TRAIN]})
    assert imported(one, two).rows == 4
    three = write_zip(tmp_path / "3.zip", {TRAIN: glami_files(train=2)[TRAIN]})
    with pytest.raises(SourceError, match="two different train tables"):
        imported(one, three, name="h")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("admin", "human"),
        ("quality-check", "human"),
        ("custom-tag", "human"),
        ("combined-tag", "machine"),
        ("", "machine"),
    ],
)
def test_the_label_source_says_who_labelled(home, tmp_path, source, kind):
    files = glami_files() | {TRAIN: csv_bytes([glami_row(0, label_source=source)])}
    imported(write_zip(tmp_path / "g.zip", files))
    first = Products.open("g").rows(limit=1)[0]
    assert (first["label_source"], first["label_kind"]) == (source or "unknown", kind)


def test_names_come_as_they_are_and_nothing_runs_them(home, tmp_path):
    nasty = [
        "<script>alert(1)</script>",
        'a "quoted" name, with commas',
        "line\nbreak",
        "\u202eright to left",
        "nul\0nul",
        "' OR 1=1 --",
    ]
    rows = [glami_row(number, name=name) for number, name in enumerate(nasty)]
    imported(write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: csv_bytes(rows)}))
    names = [row["name"] for row in Products.open("g").rows(limit=len(nasty))]
    assert names == [name.replace("\0", "") for name in nasty]


def test_bad_rows_are_kept_and_counted_by_reason(home, tmp_path):
    good = csv_bytes([glami_row(number) for number in range(2)])
    bad = b"only,three,fields\n9,,cz,no picture,,1,shoes,admin\n9,1,cz,name,,1,,admin\n9,1,cz,\xff\xfe,,1,shoes,admin\n"
    report = imported(write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: good + bad}))
    assert report.splits == {"train": 2, "test": 1}
    assert report.rejected == {
        "3 fields instead of 8": 1,
        "no image_id": 1,
        "no category_name": 1,
        "not UTF-8": 1,
    }
    import duckdb

    kept = duckdb.sql(f"SELECT place, record FROM '{home / 'g' / 'rejected.parquet'}' ORDER BY 1").fetchall()
    assert [place for place, _ in kept] == [f"g.zip:{TRAIN}:{line}" for line in (4, 5, 6, 7)]
    assert "only" in kept[0][1]


def test_a_product_whose_picture_is_missing_stays(home, tmp_path):
    files = glami_files()
    del files["GLAMI-1M-dataset/images/0.jpg"]
    report = imported(write_zip(tmp_path / "g.zip", files))
    assert report.rows == 4 and report.warnings == ["1 products name a picture that is not in the archive."]


def test_what_macos_adds_is_passed_over(home, tmp_path):
    files = {
        f"__MACOSX/{name.rpartition('/')[0]}/._{name.rpartition('/')[2]}": b"\0\5\x16\7"
        for name in glami_files()
    }
    report = imported(write_zip(tmp_path / "g.zip", {**files, **glami_files()}))
    assert report.rows == 4 and not report.rejected


def broken(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "broken.zip"
    path.write_bytes(data)
    return path


def test_an_archive_that_is_no_archive(home, tmp_path):
    whole = write_zip(tmp_path / "g.zip", glami_files()).read_bytes()
    for data, says in (
        (b"", "is empty"),
        (b"item_id,image_id\n1,2\n", "not a zip archive"),
        (whole[: len(whole) // 2], "the download is incomplete"),
        (whole[:-1_000], "the download is incomplete"),
        (whole[:-15], "the download is incomplete"),
    ):
        with pytest.raises(SourceError, match=says):
            imported(broken(tmp_path, data))
    with pytest.raises(SourceError, match="There is no GLAMI archive at"):
        imported(tmp_path / "nowhere.zip")
    assert list(home.iterdir()) == []


def test_every_cut_of_an_archive_is_a_source_error(home, tmp_path):
    """Wherever a download stops, the answer is a message, not a crash."""
    whole = write_zip(tmp_path / "g.zip", glami_files()).read_bytes()
    for length in range(0, len(whole), 97):
        with pytest.raises(SourceError):
            imported(broken(tmp_path, whole[:length]))


def test_damage_within_a_table_is_found(home, tmp_path):
    rows = [glami_row(number, name=str(number) * 50) for number in range(500)]
    path = write_zip(tmp_path / "g.zip", {TEST: csv_bytes(rows), TRAIN: csv_bytes(rows)})
    whole = bytearray(path.read_bytes())
    whole[2_000:2_010] = b"damaged!!!"
    with pytest.raises(SourceError, match=r"is damaged .*Download the archive again"):
        imported(broken(tmp_path, bytes(whole)))


@pytest.mark.parametrize(("absent", "says"), [(TRAIN, "train"), (TEST, "test")])
def test_a_missing_table_is_named(home, tmp_path, absent, says):
    files = glami_files()
    del files[absent]
    with pytest.raises(
        SourceError, match=rf"GLAMI-1M-{says}.csv is missing .*the download may be incomplete"
    ):
        imported(write_zip(tmp_path / "g.zip", files))
    with pytest.raises(SourceError, match=rf"GLAMI-1M-{says}.csv is missing"):
        imported(write_files(tmp_path / "folder", files))


def test_no_table_at_all(home, tmp_path):
    path = write_zip(tmp_path / "g.zip", {"images/1.jpg": picture(), "latest.csv": b"a,b\n"})
    with pytest.raises(
        SourceError, match=r"no GLAMI-1M-train.csv and no GLAMI-1M-test.csv .*vitrine import table"
    ):
        imported(path)


def test_tables_without_rows(home, tmp_path):
    with pytest.raises(SourceError, match="no products in the source: the table has no rows"):
        imported(write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: csv_bytes([]), TEST: csv_bytes([])}))
    with pytest.raises(SourceError, match=r"train.csv is empty: it has no header line"):
        imported(write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: b""}))


def test_missing_columns_are_named(home, tmp_path):
    short = csv_bytes([{"item_id": "1", "image_id": "1", "geo": "cz"}], ("item_id", "image_id", "geo"))
    with pytest.raises(
        SourceError, match=r"lacks the column name, description, category, .*GLAMI's tables have"
    ):
        imported(write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: short}))


def test_a_table_cut_in_a_quoted_field(home, tmp_path):
    rows = [glami_row(number, description="one, two\nthree") for number in range(9)]
    cut = csv_bytes(rows)[:-20]
    with pytest.raises(
        SourceError, match=r"ends in the middle of a quoted field .*near line 18.*the file is incomplete"
    ):
        imported(write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: cut}))


def test_an_encrypted_archive(home, tmp_path):
    path = write_zip(tmp_path / "g.zip", glami_files())
    whole = bytearray(path.read_bytes())
    at = -1
    while (at := whole.find(b"PK\x01\x02", at + 1)) >= 0:
        whole[at + 8] |= 1  # the flag, in the directory and in the local header
        start = int.from_bytes(whole[at + 42 : at + 46], "little")
        whole[start + 6] |= 1
    with pytest.raises(SourceError, match="encrypted"):
        imported(broken(tmp_path, bytes(whole)))


def test_a_member_beyond_four_gigabytes(home, tmp_path):
    """The offset of a ZIP64 archive: a hole in the file stands for the pictures before."""
    path = tmp_path / "g.zip"
    files = glami_files()
    with path.open("wb") as file:
        file.truncate(5 * 2**30)
        file.seek(5 * 2**30)
        with zipfile.ZipFile(file, "w") as archive:
            archive.start_dir = file.tell()
            for name, data in files.items():
                archive.writestr(name, data)
    assert imported(path).rows == 4
    pictures = Pictures(info("g"))
    assert (pictures.places(["2"])["2"].offset or 0) > 2**32
    assert pictures.read("2") == files["GLAMI-1M-dataset/images/2.jpg"]


def test_a_picture_that_leads_out_of_the_unpacked_folder(home, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(picture())
    root = write_files(tmp_path / "folder", glami_files())
    (root / "GLAMI-1M-dataset/images/0.jpg").unlink()
    (root / "GLAMI-1M-dataset/images/0.jpg").symlink_to(tmp_path / "secret.jpg")
    assert "1 products name a picture" in imported(root).warnings[0]
    assert Pictures(info("g")).places(["0"]) == {}


def test_clean_text_as_glami_did(home, tmp_path):
    row = glami_row(0, name="Boots [new]; {x} a/b", description="<b>line\\n</b>\nnext")
    path = write_zip(tmp_path / "g.zip", glami_files() | {TRAIN: csv_bytes([row])})
    imported(path, options=ReadOptions(clean_text=True))
    first = Products.open("g").rows(limit=1)[0]
    assert first["name"] == "Boots new x a b"
    assert not set("<>\\\n/") & set(first["description"])


def test_a_tree_gives_flat_labels_their_path(home, tmp_path):
    path = write_zip(tmp_path / "g.zip", glami_files())
    imported(path, options=ReadOptions(tree={"shoes": ("women", "shoes")}))
    assert Products.open("g").rows(limit=1)[0]["category_path"] == ("women", "shoes")
