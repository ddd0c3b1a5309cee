"""A file on an http(s) server, read by byte ranges as if it lay here."""

from __future__ import annotations

import io
import re
import time
from typing import Any

import httpx

TIMEOUT_S = 30.0  # of one answer; a server that is silent for longer is gone
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
        self._client = httpx.Client(
            timeout=TIMEOUT_S, follow_redirects=True, headers={"Accept-Encoding": "identity"}
        )
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
        for attempt in range(TRIES):
            try:
                return self._get(offset, size)
            except httpx.TransportError as error:
                if attempt == TRIES - 1:
                    raise RemoteError(
                        f"{self.url} does not answer ({error or type(error).__name__})"
                    ) from error
                time.sleep(0.2 * 2**attempt)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RemoteError(f"{self.url} cannot be read ({error})") from error
        raise AssertionError("unreachable")

    def _get(self, offset: int, size: int) -> bytes:
        wanted = {"Range": f"bytes={offset}-{offset + size - 1}"}
        with self._client.stream("GET", self.url, headers=wanted) as response:
            told = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", response.headers.get("content-range", ""))
            if response.status_code == 416 and told:  # past the end
                self._size = int(told[2])
                return b""
            if response.status_code == 200:
                raise RangesUnsupportedError(f"{self.url} is served whole only")
            if response.status_code != 206:
                raise RemoteError(f"{self.url} answers {response.status_code} {response.reason_phrase}")
            if not told or told[1] is None or int(told[1]) != offset:
                raise RemoteError(f"{self.url} answers with another part of the file than was asked for")
            if self._size not in (None, int(told[2])):
                raise RemoteError(f"{self.url} has changed while it was read")
            self._size = int(told[2])
            data = bytearray()
            for chunk in response.iter_raw():
                data += chunk
                if len(data) >= size:
                    break
            return bytes(data[:size])

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

    def close(self) -> None:
        self._client.close()
        super().close()
