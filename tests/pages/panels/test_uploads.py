"""Uploads are bounded together, and go when they are old."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.settings import Settings, keep_uploads_in_home
from pages.panels import uploads


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
