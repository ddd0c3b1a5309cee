"""Sets of vectors: whole or not there, one writer, and errors that say what to run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.catalog.products import Products
from core.embeddings.store import Description, in_progress, open_set, sets, unit, writing
from core.errors import EmbeddingError, UsageError

ROWS = np.arange(60, dtype=np.int64)


def plan(products: Products, **changes: object) -> Description:
    given = Description("toy", "image", 4, products.info.fingerprint, len(products), weights="abc")
    return replace(given, **changes)  # type: ignore[arg-type]


def write(products: Products, name: str = "toy", chunks: int = 2, stop_after: int = 9) -> np.ndarray:
    """Write two chunks of random vectors, of which row 3 is absent; or only the first."""
    vectors, _ = unit(np.random.default_rng(0).standard_normal((60, 4)))
    present = ROWS != 3
    with writing(products.info, name, plan(products), chunks) as writer:
        for chunk in writer.missing()[:stop_after]:
            rows = ROWS[chunk * 30 : chunk * 30 + 30]
            writer.write(chunk, rows, vectors[rows], present[rows])
    return vectors


def test_what_is_written_is_read(products: Products) -> None:
    vectors = write(products)
    found = open_set(products.info, "toy", weights="abc")
    assert found.vectors.dtype == np.float16 and found.vectors.shape == (60, 4)
    assert found.description.present == 59 and not found.present[3] and not found.vectors[3].any()
    kept = ROWS != 3
    np.testing.assert_allclose(found.vectors[kept].astype(np.float32), vectors[kept], atol=1e-3)
    assert [name for name, _ in sets(products.info)] == ["toy"]


def test_half_a_set_is_no_set_and_is_continued(products: Products) -> None:
    write(products, stop_after=1)
    with pytest.raises(EmbeddingError, match="vitrine embed shop --encoder toy"):
        open_set(products.info, "toy")
    with writing(products.info, "toy", plan(products), 2) as writer:
        assert writer.missing() == [1]
    write(products)
    assert open_set(products.info, "toy").description.present == 59


def test_another_plan_begins_anew(products: Products) -> None:
    write(products, stop_after=1)
    with writing(products.info, "toy", plan(products, weights="other"), 2) as writer:
        assert writer.missing() == [0, 1]


def test_an_old_set_stays_until_the_new_one_is_whole(products: Products) -> None:
    write(products)
    with pytest.raises(RuntimeError), writing(products.info, "toy", plan(products, weights="new"), 2):
        raise RuntimeError
    assert open_set(products.info, "toy").description.weights == "abc"


def test_one_writer_at_a_time(products: Products) -> None:
    assert in_progress(products.info) is None
    with writing(products.info, "toy", plan(products), 2):
        assert "process" in (in_progress(products.info) or "")
        with (
            pytest.raises(EmbeddingError, match=r"being computed already, by process \d+"),
            writing(products.info, "other", plan(products), 2),
        ):
            pass
    assert in_progress(products.info) is None


def test_a_stale_or_foreign_set_says_what_to_run(products: Products) -> None:
    write(products)
    later = replace(products.info, fingerprint="0123456789abcdef")
    with pytest.raises(EmbeddingError, match=r"an earlier version of .* vitrine embed shop --encoder toy"):
        open_set(later, "toy")
    assert sets(later) == []
    with pytest.raises(EmbeddingError, match="other weights"):
        open_set(products.info, "toy", weights="def")


@pytest.mark.parametrize("damage", ["cut", "shape", "json"])
def test_a_broken_set_says_what_to_run(products: Products, damage: str) -> None:
    write(products)
    folder = products.info.folder / "embeddings" / "toy"
    if damage == "cut":
        (folder / "vectors.npy").write_bytes((folder / "vectors.npy").read_bytes()[:200])
    elif damage == "shape":
        np.save(folder / "vectors.npy", np.zeros((60, 5), np.float16))
    else:
        (folder / "encoder.json").write_text(json.dumps({"encoder": "toy"}))
    with pytest.raises(EmbeddingError, match="vitrine embed shop --encoder toy"):
        open_set(products.info, "toy")


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "x" * 90])
def test_a_name_stays_in_its_folder(products: Products, name: str) -> None:
    with pytest.raises(UsageError):
        open_set(products.info, name)


def test_unit_passes_over_what_has_no_direction() -> None:
    found, good = unit(np.array([[3, 4], [0, 0], [np.nan, 1], [6e4, 6e4]], np.float32))
    assert good.tolist() == [True, False, False, True]
    np.testing.assert_allclose(np.linalg.norm(found[good], axis=1), 1, atol=1e-6)
