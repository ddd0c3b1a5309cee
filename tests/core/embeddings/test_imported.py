"""Vectors from elsewhere: the real ones, and every way in which a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.embeddings.store import open_set
from core.errors import EmbeddingError

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((60, 8)).astype(np.float32)
ITEMS = np.array([f"i{number}" for number in range(60)])


def save(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def test_real_vectors_by_image_id(shared_data: Path, home: Path, tmp_path: Path) -> None:
    from core.catalog.build import import_dataset

    import_dataset("glami", [str(shared_data / "glami-mini.zip")], "glami-mini")
    products = Products.open("glami-mini")
    file = shared_data / "glami-mini-mobilenet-v1.npz"
    report = import_vectors(products, file, "mobilenet-v1")
    assert (report.present, report.dimensions, report.by) == (5096, 1024, "image_id")
    found = open_set(products.info, "mobilenet-v1")
    with np.load(file) as given:
        where = {image_id: row for row, image_id in enumerate(given["image_id"].astype(str))}
        vectors = given["vectors"]
    for row in products.by_row([0, 1234, 5095]):
        own = vectors[where[row["image_id"]]].astype(np.float64)
        np.testing.assert_allclose(found.vectors[row["row_id"]], own / np.linalg.norm(own), atol=1e-3)


def test_by_item_in_any_order_and_some_missing(products: Products, tmp_path: Path) -> None:
    order = RNG.permutation(60)[:50]
    file = save(tmp_path / "v.npz", item_id=ITEMS[order], vectors=VECTORS[order])
    report = import_vectors(products, file, "mine")
    assert (report.present, report.by) == (50, "item_id")
    found = open_set(products.info, "mine")
    assert set(np.flatnonzero(found.present)) == set(order)
    own = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(found.vectors[order].astype(np.float32), own[order], atol=1e-3)
    assert found.description.skipped == {"no vector in the file": 10}


def test_npy_by_row_or_with_ids(products: Products, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VECTORS)
    assert import_vectors(products, tmp_path / "v.npy", "rows").present == 60
    (tmp_path / "ids.txt").write_text("\n".join(ITEMS[::-1]) + "\n")
    import_vectors(products, tmp_path / "v.npy", "ids", by="item_id", ids=tmp_path / "ids.txt")
    first = open_set(products.info, "rows").vectors
    np.testing.assert_array_equal(open_set(products.info, "ids").vectors, first[::-1])


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 8)])
def test_parquet(products: Products, tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"item_id": ITEMS, "embedding": pa.array(VECTORS.tolist(), kind)})
    pq.write_table(table, tmp_path / "v.parquet")
    assert import_vectors(products, tmp_path / "v.parquet", "mine").present == 60


def test_zero_vectors_are_absent(products: Products, tmp_path: Path) -> None:
    vectors = VECTORS.copy()
    vectors[4] = 0
    import_vectors(products, save(tmp_path / "v.npz", item_id=ITEMS, vectors=vectors), "mine")
    assert not open_set(products.info, "mine").present[4]


def wrong(case: str, folder: Path) -> Path:  # noqa: C901 - a list of cases
    vectors, ids = VECTORS.copy(), ITEMS.copy()
    if case == "nan":
        vectors[9, 2] = np.nan
    elif case == "flat":
        vectors = vectors[0]
    elif case == "fewer ids":
        ids = ids[:50]
    elif case == "twice":
        ids[3] = ids[2]
    elif case == "unknown":
        ids[3] = "nob"
    elif case == "foreign":
        ids = np.array([f"x{number}" for number in range(60)])
    elif case == "pickle":
        ids = ids.astype(object)
    elif case == "zeros":
        vectors = np.zeros_like(vectors)
    elif case == "no array":
        (folder / "v.npy").write_text("hello")
        return folder / "v.npy"
    elif case == "words":
        vectors = vectors.astype(str)
    elif case == "ragged":
        lists = [vector[: 4 + row % 2].tolist() for row, vector in enumerate(VECTORS)]
        pq.write_table(pa.table({"item_id": ITEMS, "v": lists}), folder / "v.parquet")
        return folder / "v.parquet"
    elif case == "no file":
        return folder / "nothing.npz"
    elif case == "cut":
        save(folder / "v.npz", item_id=ids, vectors=vectors)
        (folder / "v.npz").write_bytes((folder / "v.npz").read_bytes()[:300])
        return folder / "v.npz"
    elif case == "no ids":
        return save(folder / "v.npz", vectors=vectors)
    elif case == "fewer rows":
        np.save(folder / "v.npy", vectors[:50])
        return folder / "v.npy"
    elif case == "csv":
        (folder / "v.csv").write_text("1,2")
        return folder / "v.csv"
    return save(folder / "v.npz", item_id=ids, vectors=vectors)


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("nan", "Vector 9 .* NaN"),
        ("flat", "expected numbers of shape"),
        ("words", "expected numbers of shape"),
        ("fewer ids", "60 vectors but 50 ids"),
        ("twice", "more than once, the first is item_id 'i2'"),
        ("unknown", "1 of 60 ids are not an item_id of shop, the first is 'nob'"),
        ("foreign", "None of the 60 ids"),
        ("pickle", "Pickled arrays are refused"),
        ("ragged", "different widths: 4, 5"),
        ("no file", "There is no file"),
        ("cut", "cannot be read"),
        ("no ids", "one of image_id, item_id, row_id are needed"),
        ("fewer rows", "50 vectors but shop has 60 products"),
        ("csv", "npy, .npz or .parquet"),
        ("zeros", "have length 0"),
        ("no array", "it does not contain plain numbers"),
    ],
)
def test_a_wrong_file_is_one_clear_error(products: Products, tmp_path: Path, case: str, says: str) -> None:
    with pytest.raises(EmbeddingError, match=says):
        import_vectors(products, wrong(case, tmp_path), "mine")
    with pytest.raises(EmbeddingError):
        open_set(products.info, "mine")


def test_after_a_wrong_file_a_right_one(products: Products, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError):
        import_vectors(products, wrong("nan", tmp_path), "mine")
    file = save(tmp_path / "w.npz", item_id=ITEMS, vectors=VECTORS)
    assert import_vectors(products, file, "mine").present == 60
