"""Zip archives, local or by http(s) byte ranges: their directory, and members read in place."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa

from core.errors import SourceError
from core.schema import PICTURES
from core.sources.reading import Progress, existing

PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))


def is_url(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


def open_remote(url: str) -> IO[bytes]:
    """A seekable file over byte ranges.

    Raises:
        SourceError: nothing answers, or the server does not serve ranges.
    """
    import fsspec

    try:
        file: Any = fsspec.filesystem("http").open(url, block_size=2**20, cache_type="readahead")
        size, partial = file.size, getattr(file, "fs", None) is not None
        if size is None or not partial or not hasattr(file, "seek") or not file.seekable():
            raise ValueError("no length")
        file.seek(max(0, size - 4))
        file.read(4)
        file.seek(0)
        return file
    except (ValueError, NotImplementedError) as error:
        raise SourceError(
            f"The server of {url} does not serve byte ranges, so the archive cannot be read in place. "
            "Download it and import the file."
        ) from error
    except (OSError, Exception) as error:  # aiohttp's own errors are not OSErrors
        raise SourceError(f"Cannot read {url}: {error or type(error).__name__}.") from error


def open_zip(place: str) -> zipfile.ZipFile:
    """The archive at a path or URL.

    Raises:
        SourceError: it is empty, cut short, or not a zip.
    """
    if is_url(place):
        file: Any = open_remote(place)
        size = file.size
    else:
        path = existing(place, "archive")
        size, file = path.stat().st_size, path
    if size == 0:
        raise SourceError(f"{place} is empty (0 bytes). Download it again.")
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        head = open_start(file)
        if head.startswith(b"PK\x03\x04"):
            raise SourceError(
                f"{place} begins as a zip but its end is missing: the download was cut short. Download it again."
            ) from error
        raise SourceError(f"{place} is not a zip archive (it begins with {head[:16]!r}).") from error


def open_start(file: Any) -> bytes:
    if isinstance(file, Path):
        with file.open("rb") as stream:
            return stream.read(16)
    file.seek(0)
    return bytes(file.read(16))


def directory(archives: Sequence[zipfile.ZipFile], progress: Progress) -> pa.Table:
    """Every picture in the archives: a PICTURES table whose image_id is the file name without its ending."""
    ids: list[str] = []
    images: list[str] = []
    parts: list[int] = []
    offsets: list[int] = []
    sizes: list[int] = []
    methods: list[int] = []
    for part, archive in enumerate(archives):
        members = archive.infolist()
        for done, member in enumerate(members):
            if done % 50_000 == 0:
                progress(done, len(members), "Reading the archive's directory")
            name = PurePosixPath(member.filename)
            if name.suffix.lower() in PICTURE_SUFFIXES and "__MACOSX" not in name.parts:
                ids.append(name.stem)
                images.append(member.filename)
                parts.append(part)
                offsets.append(member.header_offset)
                sizes.append(member.compress_size)
                methods.append(member.compress_type)
    return pa.table([ids, images, parts, offsets, sizes, methods], schema=PICTURES)
