"""One large file from the web: in ranges, several at once, resumed after a cut or a kill, checked at the end."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from core.errors import SourceError
from core.outgoing import Answer, OutgoingError, RefusedError, get
from core.progress import Progress, no_progress
from core.storage import alone

BLOCK = 2**20  # what is noted as done, and is fetched again where it was not finished
RANGE = 16 * BLOCK  # of one request
AT_ONCE = 4
SLOWEST = 20_000  # bytes a second; a request that is slower is begun again where it stopped
TRIES = 8  # one after another that bring nothing
LONGEST_WAIT_S = 300.0  # that a server may ask for
SPARE_BYTES = 256 * 2**20  # that are left on the disk


@dataclass(frozen=True)
class Remote:
    """A file to download, with what its publisher says of it."""

    url: str
    name: str  # of the file here
    size: int | None = None  # bytes; None: what the server says
    md5: str = ""  # in hexadecimal; empty: not known


class _BusyError(OutgoingError):
    """The server asks to wait."""

    def __init__(self, said: str, wait_s: float) -> None:
        super().__init__(said)
        self.wait_s = wait_s


def download(
    remote: Remote,
    folder: Path,
    progress: Progress = no_progress,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch a file into a folder; a file that is there whole is not fetched again.

    It is written to NAME.part, beside which NAME.part.done has one byte for each block that is there. A kill costs the
    blocks that were being written, at most one for each request. The final name appears when all of it was checked.

    Raises:
        SourceError: it does not come, is not what its publisher says, or there is no room for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / remote.name
    if final.exists() and remote.size in (None, final.stat().st_size):
        return final

    def busy(holder: str) -> SourceError:
        return SourceError(f"{remote.name} is being downloaded by {holder}. Wait for it, or end it.")

    with alone(folder / f"{remote.name}.lock", busy):
        size, ranges = _about(remote, sleep)
        part = _Part(folder, remote.name, size, ranges)
        try:
            left = size - part.bytes_done
            free = shutil.disk_usage(folder).free
            if left + SPARE_BYTES > free:
                raise SourceError(
                    f"{remote.name} needs {left / 1e9:.1f} GB more in {folder}, where {free / 1e9:.1f} GB are free. "
                    "Free some, or set VITRINE_HOME to a larger disk."
                )
            _fill(remote, part, ranges, progress, sleep)
        finally:
            part.close()
        _check(remote, part, progress)
        part.path.replace(final)
        part.forget()
    return final


def _about(remote: Remote, sleep: Callable[[float], None]) -> tuple[int, bool]:
    """(bytes, does the server send ranges?)

    Raises:
        SourceError: it does not answer, or its file is not the publisher's.
    """

    def ask() -> tuple[int, bool]:
        first = get(remote.url, 60, 1, {"Range": "bytes=0-0"}, statuses=(206,))
        _raise_busy(first)
        told = re.fullmatch(r"bytes 0-0/(\d+)", first.headers.get("content-range", ""))
        if first.status == 206 and told:
            return int(told[1]), True
        length = first.headers.get("content-length", "")
        if first.status == 200 and length.isdigit():
            return int(length), False
        if first.status == 200 and remote.size is not None:
            return remote.size, False
        what = "without its length" if first.status in (200, 206) else f"{first.status} {first.reason}"
        raise SourceError(f"{remote.url} answers {what}. Check the address.")

    size, ranges = _again(ask, sleep)
    if remote.size is not None and size != remote.size:
        raise SourceError(
            f"{remote.url} has {size:,} bytes, and its publisher says {remote.size:,}. It is not the same file."
        )
    if size == 0:
        raise SourceError(f"{remote.url} is empty (0 bytes). Check the address.")
    return size, ranges


def _again(ask: Callable[[], tuple[int, bool]], sleep: Callable[[float], None]) -> tuple[int, bool]:
    """Ask until there is an answer, as long as the server asks to wait or the network fails."""
    for attempt in range(TRIES):
        try:
            return ask()
        except RefusedError:
            raise
        except OutgoingError as error:
            if attempt == TRIES - 1:
                raise SourceError(f"{error} What is there stays; the same command goes on.") from error
            sleep(error.wait_s if isinstance(error, _BusyError) else min(30.0, 0.5 * 2**attempt))
    raise AssertionError("unreachable")


def _raise_busy(answer: Answer) -> None:
    if answer.status in (429, 500, 502, 503, 504):
        told = answer.headers.get("retry-after", "")
        wait = min(LONGEST_WAIT_S, float(told)) if told.isdigit() else 5.0
        raise _BusyError(f"The server answers {answer.status} {answer.reason}.", wait)


class _Part:
    """The file while it grows: which of its blocks are there survives a kill, since it is on the disk."""

    def __init__(self, folder: Path, name: str, size: int, ranges: bool) -> None:
        self.path, self._done_path = folder / f"{name}.part", folder / f"{name}.part.done"
        self.size, self.blocks = size, -(-size // BLOCK)
        fresh = (
            not ranges
            or not self.path.exists()
            or self.path.stat().st_size != size
            or not self._done_path.exists()
            or self._done_path.stat().st_size != self.blocks
        )
        flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if fresh else 0)
        self._file, self._done = os.open(self.path, flags, 0o644), os.open(self._done_path, flags, 0o644)
        os.ftruncate(self._file, size)
        os.ftruncate(self._done, self.blocks)
        self.done = bytearray(os.pread(self._done, self.blocks, 0))
        self._lock = threading.Lock()

    @property
    def bytes_done(self) -> int:
        return sum(self.length(block) for block, there in enumerate(self.done) if there)

    def length(self, block: int) -> int:
        return min(BLOCK, self.size - block * BLOCK)

    def write(self, offset: int, data: bytes) -> None:
        os.pwrite(self._file, data, offset)

    def finished(self, block: int) -> None:
        """Note a block, after its bytes were written."""
        with self._lock:
            self.done[block] = 1
            os.pwrite(self._done, b"\1", block)

    def gaps(self) -> list[tuple[int, int]]:
        """(first block, one behind the last) of what is missing, no longer than a request asks for."""
        found: list[tuple[int, int]] = []
        for block, there in enumerate(self.done):
            if there:
                continue
            if found and found[-1][1] == block and (block - found[-1][0]) * BLOCK < RANGE:
                found[-1] = (found[-1][0], block + 1)
            else:
                found.append((block, block + 1))
        return found

    def close(self) -> None:
        os.close(self._file)
        os.close(self._done)

    def forget(self) -> None:
        self._done_path.unlink(missing_ok=True)

    def start_over(self) -> None:
        self.path.unlink(missing_ok=True)
        self.forget()


class _Sink:
    """Writes a body that begins at a block, and notes the blocks that are whole."""

    def __init__(
        self, part: _Part, first: int, end: int, check: Callable[[Answer], None], seen: Callable[[int], None]
    ):
        self.block, self._part, self._check, self._seen = first, part, check, seen
        self._end, self._in_block, self._checked = end, 0, False

    def __call__(self, head: Answer, data: bytes) -> None:
        if not self._checked:
            self._check(head)
            self._checked = True
        while data and self.block < self._end:
            room = self._part.length(self.block) - self._in_block
            piece, data = data[:room], data[room:]
            self._part.write(self.block * BLOCK + self._in_block, piece)
            self._seen(len(piece))
            self._in_block += len(piece)
            if self._in_block == self._part.length(self.block):
                self._part.finished(self.block)
                self.block, self._in_block = self.block + 1, 0


def _fill(
    remote: Remote, part: _Part, ranges: bool, progress: Progress, sleep: Callable[[float], None]
) -> None:
    """Fetch what is missing."""
    meter = _Meter(part, remote.name, progress)
    failed = threading.Event()
    wanted: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    gaps = part.gaps() if ranges else [(0, part.blocks)]
    for gap in gaps:
        wanted.put(gap)

    def work() -> None:
        try:
            while not failed.is_set():
                first, end = wanted.get_nowait()
                _range(remote, part, first, end, ranges, meter, sleep, failed)
        except queue.Empty:
            return
        except BaseException:
            failed.set()
            raise

    workers = min(AT_ONCE, len(gaps))
    with ThreadPoolExecutor(max(1, workers), "vitrine-download") as pool:
        for working in [pool.submit(work) for _ in range(workers)]:
            working.result()


def _range(
    remote: Remote,
    part: _Part,
    first: int,
    end: int,
    ranges: bool,
    meter: _Meter,
    sleep: Callable[[float], None],
    failed: threading.Event,
) -> None:
    """Fetch blocks `first` to `end`, going on where a cut left off; TRIES that bring nothing are the end."""
    tries = 0
    while first < end and not failed.is_set():
        start, stop = first * BLOCK, min(end * BLOCK, part.size)

        def check(head: Answer, start: int = start) -> None:
            _raise_busy(head)
            told = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", head.headers.get("content-range", ""))
            if ranges and (not told or int(told[1]) != start or int(told[2]) != part.size):
                raise SourceError(
                    f"{remote.url} answers with another part of the file than was asked for. "
                    "The file may have changed; try again."
                )

        sink = _Sink(part, first, end, check, meter.add)
        headers = {"Range": f"bytes={start}-{stop - 1}"} if ranges else {}
        wait = min(30.0, 0.5 * 2**tries)
        try:
            seconds = 60 + (stop - start) / SLOWEST
            answer = get(remote.url, seconds, stop - start, headers, (206,) if ranges else (200,), sink)
            _raise_busy(answer)
            if answer.status != (206 if ranges else 200):
                raise SourceError(f"{remote.url} answers {answer.status} {answer.reason}.")
            said = "It ended before all of it had come."
        except RefusedError:
            raise
        except OutgoingError as error:
            said = str(error)
            wait = error.wait_s if isinstance(error, _BusyError) else wait
        brought = sink.block > first
        first = sink.block if ranges or sink.block == end else 0
        if first < end:
            tries = 0 if brought and ranges else tries + 1
            if tries == TRIES:
                raise SourceError(
                    f"{remote.name}: {said} {part.bytes_done:,} of {part.size:,} bytes are here; the same command goes on."
                )
            meter.note(said)
            sleep(wait)


class _Meter:
    """Speed and time left, as a line of progress."""

    def __init__(self, part: _Part, name: str, progress: Progress) -> None:
        self._part, self._name, self._progress = part, name, progress
        self._before = self._done = part.bytes_done
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self._done = min(self._part.size, self._done + size)
            seconds = max(1e-3, time.monotonic() - self._started)
            speed = max(1.0, (self._done - self._before) / seconds)
            left = (self._part.size - self._done) / speed
            self._progress(
                self._done,
                self._part.size,
                f"Downloading {self._name}: {self._done / 1e9:.2f} of {self._part.size / 1e9:.2f} GB, "
                f"{speed / 1e6:.1f} MB/s, {left / 60:,.0f} min left",
            )

    def note(self, said: str) -> None:
        with self._lock:
            self._progress(self._done, self._part.size, f"Downloading {self._name}: {said} Trying again")


def _check(remote: Remote, part: _Part, progress: Progress) -> None:
    """
    Raises:
        SourceError: the digest is not the published one; what came is thrown away.
    """
    if not remote.md5:
        return
    digest, done = hashlib.md5(usedforsecurity=False), 0
    with part.path.open("rb") as file:
        while data := file.read(4 * BLOCK):
            digest.update(data)
            done += len(data)
            progress(done, part.size, f"Checking {remote.name}")
    if digest.hexdigest() != remote.md5.lower():
        part.start_over()
        raise SourceError(
            f"{remote.name} arrived with the MD5 {digest.hexdigest()}, and its publisher says {remote.md5}. "
            "It was deleted; fetch it again."
        )
