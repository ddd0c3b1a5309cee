"""A file on an HTTP(S) server, read by byte ranges like a local file."""

from __future__ import annotations

import io
import re
import time
from typing import Any

from core.outgoing import LateError, OutgoingError, RefusedError, get

TIMEOUT_S = 10.0  # of one response; plus
BYTES_PER_S = 100_000  # one second for this many requested bytes
TRIES = 3
BUFFER_BYTES = 2**20  # least size of a request when a table is read


class RemoteError(OSError):
    """The server does not respond, or its response is invalid."""


class RangesUnsupportedError(RemoteError):
    """The server does not support byte ranges."""


class RemoteFile(io.RawIOBase):
    """A seekable remote file. `pread` is thread-safe; `read` and `seek` share a position and are not."""

    def __init__(self, url: str) -> None:
        self.url = self.name = url
        self._size: int | None = None
        self._position = 0

    @property
    def size(self) -> int:
        """Size of the file in bytes.

        Raises:
            RemoteError: the server does not respond, or does not support byte ranges.
        """
        if self._size is None:
            self.pread(0, 1)
        assert self._size is not None
        return self._size

    def pread(self, offset: int, size: int) -> bytes:
        """Read `size` bytes at `offset`, fewer at the end of the file.

        Raises:
            RemoteError: the server does not respond or does not support byte ranges, or the file has changed.
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
        content_range = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", answer.headers.get("content-range", ""))
        if answer.status == 416 and content_range:  # past the end
            self._size = int(content_range[2])
            return b""
        if answer.status == 200:
            raise RangesUnsupportedError(f"{self.url} is served without byte ranges")
        if answer.status != 206:
            raise RemoteError(f"{self.url} answers {answer.status} {answer.reason}")
        if not content_range or content_range[1] is None or int(content_range[1]) != offset:
            raise RemoteError(f"{self.url} answers with another byte range than requested")
        if self._size not in (None, int(content_range[2])):
            raise RemoteError(f"{self.url} has changed while it was read")
        self._size = int(content_range[2])
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
