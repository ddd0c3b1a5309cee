"""Array files whose header says what cannot be: each reader answers with its own error, in one line."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.catalog import info as catalog
from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.embeddings.store import open_set
from core.errors import DamagedDatasetError, EmbeddingError

HUGE = 2**63


def npy(said: str, version: int = 1, length: int | None = None) -> bytes:
    text = said.encode("utf-8", "surrogateescape")
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes((version, 0)) + size + text + bytes(64)


def shaped(shape: str, kind: str = "'<f4'", order: str = "False") -> bytes:
    return npy(f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}}}\n")


ARRAYS = {
    **{f"shape {shape}": shaped(shape) for shape in
       ("(-1,)", "(-1, 2)", "(60, -2)", f"({HUGE}, 2)", f"({HUGE}, {HUGE})", f"({10**30},)", "()", "(0, 0)", "(2**40,)", "('a',)", "(1.5, 2)",
        "None", "60", "(True, 2)", "(60, 2, 1, 1)", "(2, 60)")},
    **{f"kind {kind}": shaped("(60, 2)", kind) for kind in ("'|O'", "'<U99'", "'V8'", "'x'", "None", "[('a', '|O')]", "'<f2,<O'", "'M8'", "3")},
    "order": shaped("(60, 2)", order="3"), "no header": npy(""), "code": npy("__import__('os').getpid()"), "deep": npy("(" * 9_000), "minus": npy("-" * 9_000 + "1"),
    "long": npy("{}", 2, 2**32 - 1), "version": npy("{}", 9), "cut": b"\x93NUM", "empty": b"", "pickle": b"\x80\x04K\x01.", "zip": b"PK\x03\x04" + bytes(30),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_that_cannot_be_is_one_line(products: Products, tmp_path: Path, kind: str) -> None:
    folder, data = products.info.folder, ARRAYS[kind]
    good = tmp_path / "good.npy"
    np.save(good, np.ones((products.info.rows, 2), np.float32))
    import_vectors(products, good, "good")
    bad = tmp_path / "bad.npy"
    bad.write_bytes(data)
    tries: list[tuple[type[Exception], Callable[[], Any]]] = [
        (EmbeddingError, lambda: import_vectors(products, bad, "bad")),
        (EmbeddingError, lambda: open_set(products.info, "good")),
        (DamagedDatasetError, lambda: catalog.info(products.info.name)),
    ]
    (folder / "embeddings" / "good" / "vectors.npy").write_bytes(data)
    (folder / "name_rank.npy").write_bytes(data)
    for expected, read in tries:
        with pytest.raises(expected) as caught:
            read()
        assert len(str(caught.value).splitlines()) == 1
