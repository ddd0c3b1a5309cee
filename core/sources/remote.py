"""A file on an http(s) server, read by byte ranges as if it lay here."""

from __future__ import annotations

import io
import re
import time
from typing import Any

from core.outgoing import LateError, OutgoingError, RefusedError, get

TIMEOUT_S = 10.0  # of one answer in all, and
BYTES_PER_S = 100_000  # a second more for so many bytes that are wanted
TRIES = 3
BUFFER_BYTES = 2**20  # one request fetches at least so much while a table is read


class RemoteError(OSError):
    """The server does not answer, or not as it should."""


class RangesUnsupportedError(RemoteError):
    """The server sends whole files only."""


class RemoteFile(io.RawIOBase):
    """Any number of threads may ask `pread`; the position that `read` and `seek` share is one reader's."""

    def __init__(self, url: str) -> None:
        self.url = self.name = url
        self._size: int | None = None
        self._position = 0

    @property
    def size(self) -> int:
        """Bytes in all.

        Raises:
            RemoteError: nothing answers, or the server does not serve ranges.
        """
        if self._size is None:
            self.pread(0, 1)
        assert self._size is not None
        return self._size

    def pread(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on, fewer at the end of the file.

        Raises:
            RemoteError: nothing answers, the server does not serve ranges, or the file has changed.
        """
        if size <= 0 or (self._size is not None and offset >= self._size):
            return b""
        until = time.monotonic() + TIMEOUT_S + size / BYTES_PER_S
        for attempt in range(TRIES):
            try:
                return self._get(offset, size, until - time.monotonic())
            except (LateError, RefusedError) as error:
                raise RemoteError(str(error).rstrip(".")) from error
            except OutgoingError as error:
                if attempt == TRIES - 1:
                    raise RemoteError(str(error).rstrip(".")) from error
                time.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable")

    def _get(self, offset: int, size: int, seconds: float) -> bytes:
        wanted = {"Range": f"bytes={offset}-{offset + size - 1}"}
        answer = get(self.url, seconds, size, wanted, statuses=(206,))
        told = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", answer.headers.get("content-range", ""))
        if answer.status == 416 and told:  # past the end
            self._size = int(told[2])
            return b""
        if answer.status == 200:
            raise RangesUnsupportedError(f"{self.url} is served whole only")
        if answer.status != 206:
            raise RemoteError(f"{self.url} answers {answer.status} {answer.reason}")
        if not told or told[1] is None or int(told[1]) != offset:
            raise RemoteError(f"{self.url} answers with another part of the file than was asked for")
        if self._size not in (None, int(told[2])):
            raise RemoteError(f"{self.url} has changed while it was read")
        self._size = int(told[2])
        return answer.body

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: 0}[whence]
        if whence == io.SEEK_END:
            start = self.size
        if start + offset < 0:
            raise ValueError("negative seek position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = self.pread(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
