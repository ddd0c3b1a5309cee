"""Compressed tables, read as they unfold: gzip, bzip2 and Zstandard, known by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from core.errors import SourceError

ENDINGS = (".gz", ".bz2", ".zst")
GZIP, BZIP2, ZSTANDARD = b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd"


def without_ending(name: str) -> str:
    """The name as it was before it was compressed, in lower case.

    >>> without_ending("shop.CSV.gz"), without_ending("shop.csv")
    ('shop.csv', 'shop.csv')
    """
    name = name.lower()
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


@contextmanager
def unfolding(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """The file's content, whether compressed or not; of a compressed one `tell` counts unfolded bytes.

    Raises:
        SourceError: while it is read: it is damaged or was cut short.
    """
    head = raw.read(4)
    raw.seek(0)
    stream: Any = raw
    if head.startswith(GZIP):
        stream = gzip.GzipFile(fileobj=raw)
    elif head.startswith(BZIP2):
        stream = bz2.BZ2File(raw)
    elif head == ZSTANDARD:
        stream = _Zstandard(raw, path)
    try:
        yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name} is damaged: {error}. Download or export it again.") from error
    except OSError as error:
        if stream is raw or error.errno is not None:  # the system's own, told elsewhere
            raise
        raise SourceError(f"{path.name} is damaged: {error}. Download or export it again.") from error


class _Zstandard(io.RawIOBase):
    """Arrow's decompression, which counts nothing and takes the end of the file for the end of the data."""

    def __init__(self, raw: IO[bytes], path: Path) -> None:
        self._raw, self._path = raw, path
        self.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """To the beginning, which is all that reading a table needs."""
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("seek")
        self._file = self._path.open("rb")  # Arrow closes it when it is done
        self._stream = pa.CompressedInputStream(pa.PythonFile(self._file, "r"), "zstd")
        self._position = 0
        return 0

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        self._raw.seek(self._file.tell())  # how far the file has been read, for whoever watches
        return len(data)
