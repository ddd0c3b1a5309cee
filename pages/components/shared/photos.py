"""Pictures that visitors search with: stored small, named by their digest, so that a link can hold one."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from contextlib import suppress
from pathlib import Path

from core.errors import UsageError
from core.images.pictures import decode, shrink
from core.settings import settings
from core.storage import keep_newest, storage_errors

WIDTH_PX = 512
MAX_PHOTOS = 2_000  # stored; the oldest are deleted
_NAME = re.compile(r"[0-9a-f]{32}")


def keep(data: bytes) -> str:
    """Store an uploaded picture; return its name in a link.

    Raises:
        UsageError: it is larger than may be uploaded.
        ImageError: it cannot be opened.
        StorageError: it cannot be written.
    """
    if len(data) > settings().upload_bytes:
        raise UsageError(f"The picture is larger than {settings().upload_bytes >> 20} MB.")
    out = io.BytesIO()
    shrink(decode(data, 2 * WIDTH_PX), WIDTH_PX, WIDTH_PX).save(out, "WEBP", quality=90)
    name = hashlib.sha256(out.getvalue()).hexdigest()[:32]
    path = _folder() / f"{name}.webp"
    with storage_errors(_folder()):
        _folder().mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{uuid.uuid4().hex}")
        aside.write_bytes(out.getvalue())
        aside.replace(path)
        keep_newest(_folder(), MAX_PHOTOS)
    return name


def read(name: str) -> bytes:
    """
    Raises:
        UsageError: there is no such photo; the link may be old.
    """
    if _NAME.fullmatch(name):
        with suppress(OSError):
            return (_folder() / f"{name}.webp").read_bytes()
    raise UsageError("The photo of this link is no longer stored. Choose it again.")


def path_of(name: str) -> Path:
    """The file of a photo.

    Raises:
        UsageError: as `read`.
    """
    read(name)
    return _folder() / f"{name}.webp"


def _folder() -> Path:
    return settings().home / "uploads" / "photos"
