"""Uploads are bounded together, and go when they are old."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from core.errors import ImageError
from core.images.pictures import Thumbnails
from core.settings import Settings, keep_uploads_in_home
from pages.panels import served, uploads


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Five uploads of 1,000 bytes, each in a folder of its own, the first the oldest."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    files = [tmp_path / str(number) / "a.png" for number in range(5)]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(bytes(1_000))
    return files


def test_old_uploads_are_deleted_with_their_folders(kept: list[Path]) -> None:
    uploads.sweep()
    assert all(file.exists() for file in kept)
    uploads.sweep(age_s=0)
    assert not any(file.parent.exists() for file in kept) and uploads.folder().exists()


def test_the_oldest_go_where_all_are_too_many(kept: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "settings", lambda: Settings(home=Path(), uploads_bytes=2_500))
    uploads.sweep()
    assert [file.exists() for file in kept] == [False, False, False, True, True]


def test_uploads_lie_in_home_and_elsewhere_where_it_is_read_only(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    keep_uploads_in_home()
    assert uploads.folder() == home / "uploads" / "panels"
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(os, "access", lambda *_: False)
    keep_uploads_in_home()
    assert not uploads.folder().is_relative_to(home)


def test_a_picture_that_does_not_come_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "WAIT_S", 0.5)
    ended = threading.Event()

    class Slow(Thumbnails):
        def __init__(self) -> None: ...

        def get(self, image_id: str, width_px: int) -> bytes:
            if image_id == "drips":
                ended.wait(60)
            if image_id == "broken":
                raise ImageError("broken")
            return image_id.encode()

    shown = list(served.thumbnails_in_time(Slow(), ["a", "b", None, "broken", "drips"], 96))
    ended.set()
    assert shown == [b"a", b"b", None, None, None]
