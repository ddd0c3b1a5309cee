"""Pictures that panels show, as files: Gradio hands out files of one folder only."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

from core.settings import settings
from core.storage import keep_newest, storage_errors

KEPT = 2_000  # files of one kind; the oldest go


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
