"""Where pictures live (archive, remote archive, folder, web): their bytes, and thumbnails of them."""

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

# Of thumbnails, pixels; a request gets the next larger.
WIDTHS = (96, 160, 240, 320, 480, 640, 960, 1280, 1600)
LOCAL_HEADER_BYTES = 30  # of a zip member, before its name and extra field
# The others that Pillow knows start programs (EPS), or no browser could show them anyway.
Image.init()
pillow_heif.register_heif_opener(thumbnails=False)
FORMATS: tuple[str, ...] = tuple(
    name for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF") if name in Image.OPEN
)

# Pillow refuses what is twice its bound; this protects whatever else opens pictures in this process, too.
Image.MAX_IMAGE_PIXELS = settings().image_pixels // 2
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Place:
    """Where one picture is."""

    image: str  # member, relative path or URL
    part: int | None  # archive; None for a file or a URL
    offset: int | None  # of the member's local header, bytes
    size: int | None  # as stored, bytes
    method: int | None


class PictureFiles:
    """Pictures by where they are: in archives, below a folder, or on the web."""

    def __init__(self, archives: Sequence[str], root: str | Path | None, folder: Path) -> None:
        """`folder` is what relative places start from."""
        self._archives = [
            RemoteFile(place) if is_url(place) else folder / place  # an absolute path stays as it is
            for place in archives
        ]
        self._root = folder / root if root else None

    def is_remote(self, place: Place) -> bool:
        """Is it on another machine?"""
        if place.part is not None:
            return isinstance(self._archives[place.part], RemoteFile)
        return is_url(place.image)

    def read_at(self, place: Place) -> bytes:
        """The picture's file as it is stored.

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
        # The local header's name and extra field are not known to be as long as the directory's: allow for both.
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
    """The pictures of one dataset, by image_id. Any number of threads may ask at once."""

    def __init__(self, dataset: DatasetInfo) -> None:
        self.dataset = dataset
        self._table = dataset.folder / "pictures.parquet"
        super().__init__(dataset.pictures.get("archives", ()), dataset.pictures.get("root"), dataset.folder)
        self._db = duckdb.connect(config={"threads": 1})
        self._thread = threading.local()

    def places(self, image_ids: Sequence[str]) -> dict[str, Place]:
        """Where the pictures with these ids are; ids without a picture are absent."""
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
        """The picture's file as it is stored.

        Raises:
            ImageError: there is none, or it cannot be read.
        """
        place = self.places([image_id]).get(image_id)
        if place is None:
            raise ImageError(f"{self.dataset.name} has no picture {image_id!r}.")
        return self.read_at(place)


def read_range(archive: Path | RemoteFile, offset: int, size: int) -> bytes:
    """`size` bytes of a local or remote archive from `offset` on; fewer at its end."""
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
    """A picture from untrusted bytes: RGB, upright, its first frame, white where it was transparent.

    Args:
        width_px: what is needed; a JPEG is then decoded at the nearest larger eighth, which is faster.

    Raises:
        ImageError: not a picture, broken, or of more pixels than Vitrine decodes.
    """
    try:
        data = as_browsers_read(data)
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > settings().image_pixels:
            raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
        if width_px is not None:
            image.draft("RGB", (width_px, width_px))  # of both sides: which is the width, EXIF may change
        image.load()
        if data[24:25] == b"\x10" and isinstance(clear := image.info.get("transparency"), tuple):
            image.info["transparency"] = tuple(part >> 8 for part in clear)  # of 16 bits, as the pixels were
        with suppress(Exception):  # a broken EXIF block does not make a broken picture
            image = ImageOps.exif_transpose(image)
        return _on_white(image)
    except Image.DecompressionBombError as error:
        most = settings().image_pixels // 1_000_000
        raise ImageError(
            f"The picture is too large ({error}); Vitrine opens up to {most} million pixels."
        ) from error
    except Exception as error:  # Pillow's decoders raise whatever the bytes lead them to
        what = "0 bytes" if not data else type(error).__name__
        if data[4:8] == b"ftyp" and data[8:12].lower() in HEIF_BRANDS:
            what = "a HEIC file that is damaged or of an unsupported kind"
        raise ImageError(f"This is not a picture that can be opened ({what}).") from error


def open_picture(image: bytes | Path) -> Image.Image:
    """Open an uploaded picture.

    Raises:
        ImageError: not a picture, or of more bytes or pixels than Vitrine opens.
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
    """The same file, of which Pillow opens what browsers do: a JPEG that is cut short gets its end mark (the rest is
    grey), a PNG loses its texts and colour profile, which may be larger than Pillow unpacks."""
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
    """As RGB, transparency on white, sixteen and more bits a pixel scaled to eight."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, 32 bits or floats: 16 bits by their range, the others from 0 to the next of 1, 255, 65535
    and 4294967295 that holds them; what is transparent becomes white."""
    values = np.asarray(image)
    clear = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        grey = (values >> 8).astype(np.uint8)
    else:
        values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        if image.mode == "I" and values.min(initial=0) < 0:
            values = np.where(values < 0, values + 2**32, values)  # Pillow reads unsigned numbers as signed
        most = values.max(initial=0)
        tops = (255, 65_535, 2**32 - 1) if image.mode == "I" else (1, 255, 65_535, 2**32 - 1)
        top = next((top for top in tops if most <= top), most)
        grey = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
    if isinstance(clear, int):
        grey = np.where(np.asarray(image) == clear, np.uint8(255), grey)
    return Image.fromarray(grey)


def shrink(image: Image.Image, width_px: int, height_px: int | None = None) -> Image.Image:
    """Within the given size, never larger than it was."""
    image.thumbnail((width_px, height_px or 4 * width_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def bucket(width_px: int) -> int:
    """The thumbnail width that serves a request: bounded, so that the cache is.

    >>> bucket(200), bucket(999_999), bucket(-5)
    (240, 1600, 96)
    """
    return next((width for width in WIDTHS if width >= width_px), WIDTHS[-1])


class Thumbnails:
    """WebP thumbnails of one dataset, kept on disk within a bound."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._folder = pictures.dataset.folder / "thumbnails"
        self._written = 0
        self._lock = threading.Lock()

    def get(self, image_id: str, width_px: int) -> bytes:
        """A WebP file at most `bucket(width_px)` wide.

        Raises:
            ImageError: there is no such picture or it is broken.
        """
        if (found := self.kept(image_id, width_px)) is not None:
            return found
        width = bucket(width_px)
        image = shrink(decode(self._pictures.read(image_id), width), width)
        out = io.BytesIO()
        image.save(out, "WEBP", quality=82, method=2)
        self._keep(self._path(image_id, width), out.getvalue())
        return out.getvalue()

    def kept(self, image_id: str, width_px: int) -> bytes | None:
        """The thumbnail, if it was made before."""
        with suppress(OSError):
            return self._path(image_id, bucket(width_px)).read_bytes()
        return None

    def is_remote(self, image_id: str) -> bool:
        """Does the picture come from the web, so that it may take seconds?"""
        place = self._pictures.places([image_id]).get(image_id)
        return place is not None and self._pictures.is_remote(place)

    def _path(self, image_id: str, width: int) -> Path:
        key = hashlib.sha256(image_id.encode()).hexdigest()
        return self._folder / str(width) / key[:2] / f"{key[2:32]}.webp"

    def _keep(self, path: Path, data: bytes) -> None:
        """Write it for the next visitor; a full or read-only disk only costs them time."""
        temporary = path.with_name(f"{uuid.uuid4().hex}.part")
        with suppress(OSError):
            # Level by level from the dataset's folder on, which must not come back if it was removed meanwhile.
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
        """Delete the oldest thumbnails until the rest is within the bound."""
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
