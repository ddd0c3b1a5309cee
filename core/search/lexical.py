"""Full-text search by word prefixes, with or without diacritics.

SQLite's full-text index (FTS5, BM25) over names and descriptions, one file a dataset. Words are folded
before they reach it, and characters of scripts without spaces are words of their own, so that 连衣裙 is found
inside 雪纺连衣裙.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import fold
from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.errors import EmbeddingError, StorageError
from core.progress import Progress, no_progress
from core.storage import storage_errors

BUILD_AT_ONCE = 200_000  # rows up to which a search builds the index itself, in seconds
WORDS = 32  # of a query that are used
BLOCK = 20_000  # rows that are read at a time
NAME_WEIGHT = 4.0  # weight of a word in the name, relative to the description
# Scripts written without spaces, and letters whose line or hook is no diacritic to Unicode.
_ALONE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
_LETTERS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ħ": "h"})
_WORD = re.compile(r"\w+")


def plain_words(text: str) -> list[str]:
    """The words of a text without case and diacritics.

    >>> plain_words("Červené ŠATY, Đorđe İzmir"), plain_words("红色连衣裙 XL")
    (['cervene', 'saty', 'dorde', 'izmir'], ['红', '色', '连', '衣', '裙', 'xl'])
    """
    letters = unicodedata.normalize("NFKD", fold(text))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_LETTERS)
    return _WORD.findall(_ALONE.sub(lambda found: f" {found[0]} ", bare))


@dataclass(frozen=True)
class Found:
    """Products whose words match, best first."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]  # BM25, higher is better
    every: bool  # True: all words are in each; False: some of them


class Lexical:
    """Full-text index of one dataset. Thread-safe."""

    def __init__(self, products: Products, progress: Progress = no_progress, build: bool = False) -> None:
        """
        Args:
            build: build the index whatever its size; by default only of a small dataset.

        Raises:
            EmbeddingError: there is no index and the dataset is large; the text says what to run.
            StorageError: the folder cannot be written.
        """
        self.info = products.info
        self.path = self.info.folder / "words.sqlite"
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        if not _fits(self.path, self.info):
            if len(products) > BUILD_AT_ONCE and not build:
                raise EmbeddingError(
                    f"The words of {self.info.name} are not indexed yet ({len(products):,} products, some minutes). "
                    f"Run: vitrine index {self.info.name}"
                )
            try:
                with storage_errors(self.info.folder), _alone(self.info):
                    if not _fits(self.path, self.info):  # else another process built it
                        _build(products, self.path, progress)
            except (StorageError, sqlite3.OperationalError):
                if build or os.access(self.info.folder, os.W_OK):
                    raise
                # The folder is read-only: build a temporary index.
                self._aside = tempfile.TemporaryDirectory(prefix="vitrine-words-")
                self.path = Path(self._aside.name) / "words.sqlite"
                with storage_errors(self.path.parent):
                    _build(products, self.path, progress)

    def search(self, text: str, k: int, mask: NDArray[np.bool_] | None = None, without: str = "") -> Found:
        """Up to k products with words that start with the query's words.

        All words must match; if no product has them all, any of them.

        Args:
            mask: (n,) true where a product may be found.
            without: words that must not occur.
        """
        wanted, unwanted = plain_words(text)[:WORDS], plain_words(without)[:WORDS]
        nothing = Found(np.zeros(0, np.int64), np.zeros(0, np.float32), True)
        if not wanted:
            return nothing
        for every in (True, False):
            joined = (" AND " if every else " OR ").join(f'"{word}"*' for word in wanted)
            sought = f"({joined})" + "".join(f' NOT "{word}"*' for word in unwanted)
            found = list(self._ranked(sought, k, mask))
            if found:
                rows, scores = zip(*found, strict=True)
                return Found(np.array(rows, np.int64), np.array(scores, np.float32), every)
        return nothing

    def _ranked(self, sought: str, k: int, mask: NDArray[np.bool_] | None) -> Iterator[tuple[int, float]]:
        sql = f"SELECT rowid, bm25(words, {NAME_WEIGHT}, 1.0) FROM words WHERE words MATCH ? ORDER BY 2, 1"  # noqa: S608
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as db:
            for row, rank in db.execute(sql, [sought]):
                if mask is None or mask[row]:
                    yield int(row), -float(rank)
                    k -= 1
                    if k == 0:
                        return


def is_built(info: DatasetInfo) -> bool:
    """Is the index of a dataset's words there and current?"""
    return _fits(info.folder / "words.sqlite", info)


def _fits(path: Path, info: DatasetInfo) -> bool:
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return bool(db.execute("SELECT fingerprint FROM about").fetchone() == (info.fingerprint,))
    except sqlite3.Error:
        return False


def _build(products: Products, path: Path, progress: Progress) -> None:
    """Write the index to a temporary file and rename it."""
    info = products.info
    aside = path.with_name(f".words-{os.getpid()}.sqlite")
    aside.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(aside)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.execute(
                "CREATE VIRTUAL TABLE words USING fts5(name, description, content='', columnsize=1, "
                "prefix='2 3', tokenize='unicode61 remove_diacritics 0')"
            )
            for start in range(0, len(products), BLOCK):
                sql = "SELECT row_id, name, description FROM cohort WHERE row_id >= ? AND row_id < ?"
                table = products.table(sql, values=[start, start + BLOCK])
                db.executemany(
                    "INSERT INTO words (rowid, name, description) VALUES (?, ?, ?)",
                    (
                        (row, " ".join(plain_words(name or "")), " ".join(plain_words(description or "")))
                        for row, name, description in zip(
                            *(column.to_pylist() for column in table.columns), strict=True
                        )
                    ),
                )
                progress(min(start + BLOCK, len(products)), len(products), "Indexing words")
            db.execute("CREATE TABLE about (fingerprint TEXT)")
            db.execute("INSERT INTO about VALUES (?)", [info.fingerprint])
            db.commit()
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _alone(info: DatasetInfo) -> Iterator[None]:
    descriptor = os.open(info.folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
