"""Read pictures from an archive, a remote archive, a folder or the web, and make thumbnails."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import uuid
import warnings
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from core.catalog.info import DatasetInfo
from core.errors import ImageError
from core.images.web import fetch
from core.settings import settings
from core.sources.archive import HDF5_IMAGES, IN_HDF5, IN_PLACE, is_url
from core.sources.reading import Folder
from core.sources.remote import RemoteFile

# Widths of thumbnails in pixels; a request is rounded up.
WIDTHS = (96, 160, 240, 320, 480, 640, 960, 1280, 1600)
LOCAL_HEADER_BYTES = 30  # of a zip member, before its name and extra field
# Excluded: formats for which Pillow starts programs (EPS), and formats that browsers do not show.
Image.init()
pillow_heif.register_heif_opener(thumbnails=False)
FORMATS: tuple[str, ...] = tuple(
    name for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF") if name in Image.OPEN
)

# Pillow raises at twice this limit; it also protects other code of this process that opens pictures.
Image.MAX_IMAGE_PIXELS = settings().image_pixels // 2
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Place:
    """The location of a picture."""

    image: str  # member, relative path or URL
    part: int | None  # archive; None for a file or a URL
    offset: int | None  # of the member's local header, bytes
    size: int | None  # as stored, bytes
    method: int | None


class PictureFiles:
    """Read pictures by location: in archives, below a folder, or on the web."""

    def __init__(self, archives: Sequence[str], root: str | Path | None, folder: Path) -> None:
        """
        Args:
            folder: base of relative paths.
        """
        self._archives = [
            RemoteFile(place) if is_url(place) else folder / place  # an absolute path is unchanged
            for place in archives
        ]
        self._root = folder / root if root else None

    def is_remote(self, place: Place) -> bool:
        """Whether the picture is fetched over the network."""
        if place.part is not None:
            return isinstance(self._archives[place.part], RemoteFile)
        return is_url(place.image)

    def read_at(self, place: Place) -> bytes:
        """The bytes of the picture's file.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            if place.part is not None:
                return self._member(place)
            if is_url(place.image):
                return fetch(place.image)
            return self._file(place.image)
        except (OSError, zlib.error) as error:
            raise ImageError(f"The picture {place.image} cannot be read: {error}.") from error

    def _file(self, image: str) -> bytes:
        there = Folder(self._root).look(image) if self._root else "outside"
        if there == "outside" or self._root is None:
            raise ImageError(f"The picture {image!r} is not inside the dataset's folder.")
        if there == "missing":
            raise ImageError(f"The picture {image} is not in {self._root}. The folder may have been moved.")
        with (self._root / image).open("rb") as file:
            return bounded(file.read(settings().image_bytes + 1), image)

    def _member(self, place: Place) -> bytes:
        assert place.part is not None and place.offset is not None and place.size is not None
        if place.size > settings().image_bytes:
            raise ImageError(f"The picture {place.image} is larger than Vitrine opens.")
        archive = self._archives[place.part]
        if place.method == IN_HDF5:
            return self._pixels(archive, place)
        if place.method == IN_PLACE:
            return read_range(archive, place.offset, place.size)
        # Name and extra field may be longer in the local header than in the directory: read both lengths.
        slack = LOCAL_HEADER_BYTES + len(place.image.encode()) + 256
        data = read_range(archive, place.offset, slack + place.size)
        if len(data) < LOCAL_HEADER_BYTES or data[:4] != b"PK\x03\x04":
            where = archive.url if isinstance(archive, RemoteFile) else archive
            raise ImageError(f"{where} has changed since it was imported. Import it again.")
        start = (
            LOCAL_HEADER_BYTES + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
        )
        if start + place.size > len(data):
            data = read_range(archive, place.offset, start + place.size)
        stored = data[start : start + place.size]
        if place.method == 0:
            return stored
        if place.method == 8:
            return bounded(
                zlib.decompressobj(-15).decompress(stored, settings().image_bytes + 1), place.image
            )
        raise ImageError(
            f"The picture {place.image} uses a compression method (zip {place.method}) that Vitrine does not support."
        )

    def _pixels(self, archive: Path | RemoteFile, place: Place) -> bytes:
        """A row of an HDF5 file as PNG."""
        import h5py

        with h5py.File(archive, "r") as file:
            row = np.asarray(file[HDF5_IMAGES][place.offset])
        out = io.BytesIO()
        Image.fromarray(row).save(out, "PNG", compress_level=1)
        return out.getvalue()


class Pictures(PictureFiles):
    """The pictures of a dataset by image_id. Thread-safe."""

    def __init__(self, dataset: DatasetInfo) -> None:
        self.dataset = dataset
        self._table = dataset.folder / "pictures.parquet"
        super().__init__(dataset.pictures.get("archives", ()), dataset.pictures.get("root"), dataset.folder)
        self._db = duckdb.connect(config={"threads": 1})
        self._thread = threading.local()

    def places(self, image_ids: Sequence[str]) -> dict[str, Place]:
        """Locations of pictures by id, without the ids that have no picture."""
        if not hasattr(self._thread, "cursor"):
            self._thread.cursor = self._db.cursor()
        table, marks = str(self._table).replace("'", "''"), ", ".join("?" * len(image_ids))
        columns = 'image_id, image, part, "offset", size, method'
        sql = f"SELECT {columns} FROM read_parquet('{table}') WHERE image_id IN ({marks})"  # noqa: S608
        try:
            found = self._thread.cursor.execute(sql, list(image_ids)).fetchall() if image_ids else []
        except duckdb.Error as error:
            if self._table.exists():
                raise
            raise ImageError(
                f"The pictures of {self.dataset.name} do not exist any more; the dataset may have been removed."
            ) from error
        return {row[0]: Place(*row[1:]) for row in found}

    def read(self, image_id: str) -> bytes:
        """The bytes of the picture's file.

        Raises:
            ImageError: there is no such picture, or it cannot be read.
        """
        place = self.places([image_id]).get(image_id)
        if place is None:
            raise ImageError(f"{self.dataset.name} has no picture {image_id!r}.")
        return self.read_at(place)


def read_range(archive: Path | RemoteFile, offset: int, size: int) -> bytes:
    """Read `size` bytes at `offset` of a local or remote archive; fewer at its end."""
    if isinstance(archive, RemoteFile):
        return archive.pread(offset, size)
    with archive.open("rb") as file:
        return os.pread(file.fileno(), size, offset)


def bounded(data: bytes, what: str) -> bytes:
    if len(data) > settings().image_bytes:
        raise ImageError(
            f"The picture {what} is larger than Vitrine opens ({settings().image_bytes >> 20} MB)."
        )
    return data


def decode(data: bytes, width_px: int | None = None) -> Image.Image:
    """Decode untrusted bytes: the first frame, upright, RGB, transparency on white.

    Args:
        width_px: the required width; a JPEG is decoded at the next larger eighth of its size, which is faster.

    Raises:
        ImageError: not a picture, damaged, or too many pixels.
    """
    try:
        data = as_browsers_read(data)
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > settings().image_pixels:
            raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
        if width_px is not None:
            image.draft("RGB", (width_px, width_px))  # both sides: EXIF may rotate the picture
        image.load()
        if data[24:25] == b"\x10" and isinstance(clear := image.info.get("transparency"), tuple):
            image.info["transparency"] = tuple(part >> 8 for part in clear)  # from 16 bits, like the pixels
        with suppress(Exception):  # an invalid EXIF block is ignored
            image = ImageOps.exif_transpose(image)
        return _on_white(image)
    except Image.DecompressionBombError as error:
        most = settings().image_pixels // 1_000_000
        raise ImageError(
            f"The picture is too large ({error}); Vitrine opens up to {most} million pixels."
        ) from error
    except Exception as error:  # Pillow's decoders raise any exception on invalid bytes
        what = "0 bytes" if not data else type(error).__name__
        if data[4:8] == b"ftyp" and data[8:12].lower() in HEIF_BRANDS:
            what = "a HEIC file that is damaged or of an unsupported kind"
        raise ImageError(f"This is not a picture that can be opened ({what}).") from error


def open_picture(image: bytes | Path) -> Image.Image:
    """Open an uploaded picture.

    Raises:
        ImageError: not a picture, or too many bytes or pixels.
    """
    bound = settings().upload_bytes
    if isinstance(image, Path):
        try:
            with image.open("rb") as file:
                image = file.read(bound + 1)
        except OSError as error:
            raise ImageError(f"There is no picture at {str(image)!r} ({error.strerror}).") from error
    if len(image) > bound:
        raise ImageError(f"The picture is larger than {bound >> 20} MB. Make it smaller and try again.")
    return decode(image, 640)


HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
PNG_NOTES = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")


def as_browsers_read(data: bytes) -> bytes:
    """Repair a file that browsers show but Pillow refuses.

    A truncated JPEG gets an end marker (the rest is grey); a PNG loses its texts and colour profile, which may exceed
    Pillow's limit.
    """
    if data[:2] == b"\xff\xd8" and len(data) > 256:
        return data if b"\xff\xd9" in data[-64:] else data + b"\xff\xd9"
    if data[:8] == b"\x89PNG\r\n\x1a\n" and any(kind in data for kind in PNG_NOTES):
        kept, at = [data[:8]], 8
        while at + 12 <= len(data):
            end = at + 12 + int.from_bytes(data[at : at + 4], "big")
            if data[at + 4 : at + 8] not in PNG_NOTES:
                kept.append(data[at:end])
            at = end
        return b"".join(kept)
    return data


def _on_white(image: Image.Image) -> Image.Image:
    """Convert to RGB: transparency on white, 16 and more bits per channel scaled to 8."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Convert grey of 16 bits, 32 bits or floats to 8 bits; transparency becomes white.

    16 bits are scaled by their range, the others by the smallest of 1, 255, 65535 and 4294967295 not below the maximum.
    """
    values = np.asarray(image)
    clear = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        grey = (values >> 8).astype(np.uint8)
    else:
        values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        if image.mode == "I" and values.min(initial=0) < 0:
            values = np.where(values < 0, values + 2**32, values)  # Pillow reads unsigned integers as signed
        most = values.max(initial=0)
        tops = (255, 65_535, 2**32 - 1) if image.mode == "I" else (1, 255, 65_535, 2**32 - 1)
        top = next((top for top in tops if most <= top), most)
        grey = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
    if isinstance(clear, int):
        grey = np.where(np.asarray(image) == clear, np.uint8(255), grey)
    return Image.fromarray(grey)


def shrink(image: Image.Image, width_px: int, height_px: int | None = None) -> Image.Image:
    """Resize to fit the given size; never enlarge."""
    image.thumbnail((width_px, height_px or 4 * width_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def bucket(width_px: int) -> int:
    """Round a requested width to one of the thumbnail widths, so that the cache is bounded.

    >>> bucket(200), bucket(999_999), bucket(-5)
    (240, 1600, 96)
    """
    return next((width for width in WIDTHS if width >= width_px), WIDTHS[-1])


class Thumbnails:
    """WebP thumbnails of a dataset, cached on disk within a bound."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._folder = pictures.dataset.folder / "thumbnails"
        self._written = 0
        self._lock = threading.Lock()

    def get(self, image_id: str, width_px: int) -> bytes:
        """A WebP file at most `bucket(width_px)` wide.

        Raises:
            ImageError: there is no such picture, or it is damaged.
        """
        if (found := self.cached(image_id, width_px)) is not None:
            return found
        width = bucket(width_px)
        image = shrink(decode(self._pictures.read(image_id), width), width)
        out = io.BytesIO()
        image.save(out, "WEBP", quality=82, method=2)
        self._store(self._path(image_id, width), out.getvalue())
        return out.getvalue()

    def cached(self, image_id: str, width_px: int) -> bytes | None:
        """The thumbnail if it is in the cache, else None."""
        with suppress(OSError):
            return self._path(image_id, bucket(width_px)).read_bytes()
        return None

    def is_remote(self, image_id: str) -> bool:
        """Whether the picture is fetched from the web, which may take seconds."""
        place = self._pictures.places([image_id]).get(image_id)
        return place is not None and self._pictures.is_remote(place)

    def _path(self, image_id: str, width: int) -> Path:
        key = hashlib.sha256(image_id.encode()).hexdigest()
        return self._folder / str(width) / key[:2] / f"{key[2:32]}.webp"

    def _store(self, path: Path, data: bytes) -> None:
        """Write to the cache; errors of a full or read-only disk are ignored."""
        temporary = path.with_name(f"{uuid.uuid4().hex}.part")
        with suppress(OSError):
            # Level by level below the dataset's folder, which must not be created again if it was removed meanwhile.
            for folder in (self._folder, path.parent.parent, path.parent):
                folder.mkdir(exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(path)
        with self._lock:
            self._written += len(data)
            if self._written < settings().thumbnail_bytes // 16:
                return
            self._written = 0
        self._trim()

    def _trim(self) -> None:
        """Delete the oldest thumbnails until the cache is within its bound."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*/*/*"):
            with suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in files) - settings().thumbnail_bytes
        for _, size, path in sorted(files, key=lambda entry: entry[0]):
            if excess <= 0:
                break
            with suppress(OSError):
                path.unlink()
            excess -= size
