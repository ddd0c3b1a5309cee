"""Pictures that panels show, as files: Gradio hands out files of one folder only."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from pathlib import Path

from core.errors import ImageError
from core.images.pictures import Thumbnails
from core.settings import settings
from core.storage import keep_newest, storage_errors

KEPT = 2_000  # files of one kind; the oldest go
WAIT_S = 10.0  # for all pictures of one answer; those from the web may be slow
AT_ONCE = 8


def served(data: bytes, kind: str) -> Path:
    """A WebP file with this content, under VITRINE_HOME/uploads/.

    Args:
        kind: the folder in it.

    Raises:
        StorageError: it cannot be written.
    """
    folder = settings().home / "uploads" / kind
    path = folder / f"{hashlib.sha256(data).hexdigest()[:24]}.webp"
    with storage_errors(folder):
        if path.exists():
            path.touch()
            return path
        folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{uuid.uuid4().hex}")  # whole or not at all: another visitor may want it now
        aside.write_bytes(data)
        aside.replace(path)
        keep_newest(folder, KEPT)
    return path


def thumbnails_in_time(
    thumbnails: Thumbnails, image_ids: Sequence[str | None], width_px: int
) -> Iterator[bytes | None]:
    """The pictures with these ids in their order; None for one that is missing, broken, or does not come in time.

    A host that drips would otherwise hold a panel, and its queue, for seconds a picture.
    """
    until = time.monotonic() + WAIT_S
    pool = ThreadPoolExecutor(AT_ONCE, "vitrine-panel-pictures")
    try:
        asked = [pool.submit(thumbnails.get, each, width_px) if each else None for each in image_ids]
        for future in asked:
            yield _in_time(future, until)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _in_time(future: Future[bytes] | None, until: float) -> bytes | None:
    try:
        return future.result(max(0.0, until - time.monotonic())) if future else None
    except (ImageError, NotYetError):
        return None
