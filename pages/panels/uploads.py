"""What visitors upload to the panels: where it lies, how much of it, how long; and that nothing is fetched for them."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder

from core.settings import settings

AGE_S = 60 * 60.0  # after which an upload is deleted
EVERY_S = 10 * 60.0  # that old ones are looked for
NO_ADDRESS = "A picture cannot be given by its web address. Upload the file, or send its bytes (data:image/png;base64,...)."

_sweeping = threading.Lock()


def folder() -> Path:
    """Where Gradio keeps uploads (`core.settings.keep_uploads_in_home`)."""
    return Path(get_upload_folder())


def fetch_nothing() -> None:
    """Keep Gradio from downloading files that an event names by their address.

    It would for every component, in its own loop, as many bytes as come, and from hosts of its own list without a check.
    """

    async def refuse(*_: Any, **__: Any) -> Any:
        raise gr.Error(NO_ADDRESS, print_exception=False)

    processing_utils.async_ssrf_protected_get = refuse
    processing_utils.async_ssrf_protected_download = refuse


def sweep(age_s: float = AGE_S) -> None:
    """Delete uploads that are too old and, oldest first, those beyond the bound on all of them."""
    with _sweeping:
        found: list[tuple[float, int, Path]] = []
        for path in folder().rglob("*"):
            with suppress(OSError):
                status = path.lstat()
                if not path.is_dir():
                    found.append(
                        (status.st_ctime, status.st_size, path)
                    )  # copies keep the time of the original's content
        now, kept = time.time(), sum(size for _, size, _ in found)
        for changed, size, path in sorted(found):
            if now - changed < age_s and kept <= settings().uploads_bytes:
                break
            with suppress(OSError):
                path.unlink()
                kept -= size
            with suppress(OSError):
                path.parent.rmdir()  # each upload has a folder


async def sweep_now_and_then() -> None:
    """Until it is cancelled."""
    while True:
        await asyncio.to_thread(sweep)
        await asyncio.sleep(EVERY_S)
