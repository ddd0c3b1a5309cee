"""Zip archives, local or over HTTP byte ranges: read the directory, and members in place."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import pyarrow as pa

from core.errors import SourceError
from core.progress import Progress
from core.schema import PICTURES
from core.sources.reading import existing, valid
from core.sources.remote import BUFFER_BYTES, RangesUnsupportedError, RemoteError, RemoteFile

PICTURE_SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
    )
)
ENCRYPTED = 0x1  # bit of a member's flags
LARGEST = 2**62  # largest size or offset of a member, in bytes; zip64 fields hold twice as much as a file can
IN_PLACE, IN_HDF5 = -1, -2  # beside the methods of zip: plain bytes at an offset (tar); a row of pixels
HDF5_IMAGES = "input_image"  # (rows, height, width, 3) of bytes
UNKNOWN = 2**15 - 1  # stands for every unknown compression method


def is_url(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


@contextmanager
def open_zip(place: str) -> Iterator[zipfile.ZipFile]:
    """Open the archive at a path or URL for the duration of the block.

    Raises:
        SourceError: it is empty, cut short, not a zip, or its server does not support byte ranges.
    """
    with _open_remote(place) if is_url(place) else _open_local(place) as file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            file.seek(0)
            head = file.read(16)
            if head.startswith(b"PK\x03\x04"):
                raise SourceError(
                    f"{place} starts like a zip, but its end is missing or damaged: the download is incomplete. "
                    "Download it again."
                ) from error
            raise SourceError(f"{place} is not a zip archive (it starts with {head!r}).") from error
        with archive:
            for member in archive.infolist():
                if max(member.file_size, member.compress_size, member.header_offset) > LARGEST:
                    raise SourceError(
                        f"{place} is damaged: its directory gives {valid(member.filename)[:100]!r} a size or an offset of "
                        f"{LARGEST:,} bytes or more. Download it again."
                    )
            yield archive


def _open_local(place: str) -> IO[bytes]:
    path = existing(place, "archive")
    if path.is_dir():
        raise SourceError(f"{place} is a folder, not a zip archive. All parts must be zips.")
    if path.stat().st_size == 0:
        raise SourceError(f"{place} is empty (0 bytes). Download it again.")
    return path.open("rb")


def _open_remote(url: str) -> IO[bytes]:
    file = RemoteFile(url)
    try:
        if file.size == 0:
            raise SourceError(f"{url} is empty (0 bytes). Check the URL.")
    except RangesUnsupportedError as error:
        file.close()
        raise SourceError(
            f"The server of {url} does not support byte ranges, so the archive cannot be read in place. "
            "Download it and import the file."
        ) from error
    except RemoteError as error:
        file.close()
        raise SourceError(f"{error}. Check the URL and the network, or import a downloaded file.") from error
    return io.BufferedReader(file, BUFFER_BYTES)


def directory(archives: Sequence[zipfile.ZipFile], progress: Progress) -> pa.Table:
    """List the pictures of the archives: a PICTURES table; image_id is the file name without its extension.

    Raises:
        SourceError: the pictures are encrypted.
    """
    columns: list[pa.Table] = []
    for part, archive in enumerate(archives):
        members = archive.infolist()
        progress(0, len(members), "Reading the archive's directory")
        found = [member for member in members if _is_picture(member.filename)]
        if any(member.flag_bits & ENCRYPTED for member in found):
            raise SourceError(
                f"The pictures in {archive.filename} are encrypted. Unpack it with its password and import the folder."
            )
        images = [member.filename for member in found]
        columns.append(
            pa.table(
                [
                    [image[image.rfind("/") + 1 : image.rfind(".")] for image in images],
                    images,
                    [part] * len(found),
                    [member.header_offset for member in found],
                    [member.compress_size for member in found],
                    [min(member.compress_type, UNKNOWN) for member in found],
                ],
                schema=PICTURES,
            )
        )
    return pa.concat_tables(columns).combine_chunks()


def _is_picture(name: str) -> bool:
    """
    >>> [_is_picture(name) for name in ("a/1.JPG", "__MACOSX/a/._1.jpg", "a/.jpg", "1.jpg/", "a/1.csv")]
    [True, False, False, False, False]
    """
    dot = name.rfind(".")
    return (
        name[dot:].lower() in PICTURE_SUFFIXES
        and dot > (start := name.rfind("/") + 1)
        and not name.startswith("._", start)  # resource forks of macOS
        and not name.startswith("__MACOSX/")
        and "/__MACOSX/" not in name
    )
