"""Pictures from anywhere: found, bounded, decoded, kept as thumbnails within a bound."""

from __future__ import annotations

import io
import os
import random
import struct
import threading
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from core.catalog import info as catalog
from core.catalog.build import import_dataset
from core.catalog.info import info
from core.errors import ImageError
from core.images import pictures as images
from core.images.pictures import Pictures, Thumbnails, bucket, decode, shrink
from core.settings import Settings, settings
from tests.shapes import csv_bytes, glami_files, picture, write_files, write_zip


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, body)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_every_kind_of_picture_becomes_rgb():
    teal = (0, 128, 128)
    for data in (
        picture(kind="PNG"),
        picture(kind="WEBP"),
        picture(kind="GIF"),
        picture(kind="BMP"),
        picture(kind="TIFF"),
        saved(Image.new("CMYK", (40, 60), (255, 127, 127, 0)), "JPEG"),
        saved(Image.new("RGB", (40, 60), teal).quantize(4), "PNG"),
    ):
        image = decode(data, 96)
        assert (image.mode, image.size) == ("RGB", (40, 60))
        assert all(abs(one - other) < 12 for one, other in zip(image.getpixel((5, 5)), teal, strict=True))
    assert decode(saved(Image.new("L", (4, 4), 9), "PNG")).getpixel((0, 0)) == (9, 9, 9)
    assert decode(saved(Image.new("1", (4, 4), 1), "PNG")).getpixel((0, 0)) == (255, 255, 255)
    assert decode(saved(Image.new("I;16", (4, 4), 0x8000), "PNG")).getpixel((0, 0)) == (128, 128, 128)


def test_what_is_transparent_is_white():
    for image in (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), Image.new("LA", (4, 4), (0, 0))):
        assert decode(saved(image, "PNG")).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("RGB", (4, 4), "red").quantize(4)
    assert decode(saved(palette, "PNG", transparency=palette.getpixel((0, 0)))).getpixel((0, 0)) == (255,) * 3


def test_of_an_animation_the_first_frame():
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert decode(data).getpixel((0, 0))[0] > 240


def test_a_picture_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    wide = Image.new("RGB", (4_000, 1_000), "teal")
    image = decode(saved(wide, "JPEG", exif=exif), 240)
    assert image.width < image.height and image.width >= 240
    assert decode(saved(wide, "JPEG", exif=b"Exif\0\0 broken")).size == (4_000, 1_000)


def test_a_jpeg_called_png_is_still_a_picture(home, tmp_path):
    write_files(tmp_path / "own", {"shoes/a.png": picture()})
    import_dataset("folder", [str(tmp_path / "own")], "f")
    assert Thumbnails(Pictures(info("f"))).get("shoes/a.png", 96)[8:12] == b"WEBP"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a picture that can be opened (0 bytes)"),
        (b"this is text", "not a picture that can be opened"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not a picture"),
        (picture()[:200], "not a picture that can be opened"),
        (png_header(30_000, 30_000), "too large"),
        (png_header(2**31 - 1, 1), "too large"),
        (png_header(30_000, 2), "not a picture"),  # cut short, and no longer a matter of size
    ],
)
def test_what_is_no_picture_is_an_image_error(data, says):
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert says in str(caught.value)


def test_a_picture_30_000_pixels_wide():
    wide = saved(Image.new("RGB", (30_000, 20), "teal"), "PNG")
    assert shrink(decode(wide, 240), 240).size == (240, 1)
    long = saved(Image.new("RGB", (20, 30_000), "teal"), "PNG")
    small = shrink(decode(long, 240), 240)
    assert small.width >= 1 and small.height <= 960


def test_random_damage_is_an_image_error_or_a_picture():
    rng = random.Random(0)
    for whole in (
        picture((90, 90)),
        picture((90, 90), kind="PNG"),
        picture((90, 90), kind="WEBP"),
        picture((90, 90), kind="GIF"),
    ):
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(rng.randint(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            with suppress(ImageError):
                assert decode(bytes(data), 96).mode == "RGB"


def test_other_code_in_this_process_is_protected_from_bombs_too():
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(png_header(30_000, 30_000)))


def test_the_width_is_bounded():
    assert [bucket(width) for width in (-5, 0, 96, 97, 1_600, 999_999)] == [96, 96, 96, 160, 1_600, 1_600]


@pytest.fixture
def pictures(home: Path, tmp_path: Path) -> Pictures:
    import_dataset("glami", [str(write_zip(tmp_path / "g.zip", glami_files(train=5)))], "g")
    return Pictures(info("g"))


def test_thumbnails_are_kept_and_never_larger_than_the_picture(pictures, monkeypatch):
    thumbnails = Thumbnails(pictures)
    first = thumbnails.get("1", 999_999)
    assert Image.open(io.BytesIO(first)).size == (40, 60)
    monkeypatch.setattr(Pictures, "read", lambda *_: pytest.fail("it was kept"))
    assert thumbnails.get("1", 999_999) == first


@pytest.mark.parametrize(
    "image_id", ["../../etc/passwd", "..", "", "\0", "x" * 10_000, "%2e%2e", "'; DROP TABLE x --", "\u202e"]
)
def test_an_id_that_is_not_there(pictures, image_id):
    with pytest.raises(ImageError, match="has no picture"):
        Thumbnails(pictures).get(image_id, 96)


def test_the_cache_stays_within_its_bound(pictures, monkeypatch):
    monkeypatch.setattr(images, "settings", lambda: Settings(home=settings().home, thumbnail_bytes=2_000))
    thumbnails = Thumbnails(pictures)
    folder = pictures.dataset.folder / "thumbnails"
    for width in images.WIDTHS:
        for number in range(5):
            thumbnails.get(str(number), width)
    assert (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 2_000 + 2_000 // 16 + 500
    )
    assert not list(folder.rglob("*.part"))


def test_a_cache_that_cannot_be_written_costs_only_time(pictures, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert Thumbnails(pictures).get("1", 96)


def test_a_dataset_removed_while_it_is_looked_at(pictures, home, tmp_path, monkeypatch):
    thumbnails = Thumbnails(pictures)
    thumbnails.get("1", 96)
    read = Pictures.read

    def slow(self: Pictures, image_id: str) -> bytes:
        data = read(self, image_id)
        catalog.remove("g")  # after the picture was read, before its thumbnail is kept
        return data

    with monkeypatch.context() as patch:
        patch.setattr(Pictures, "read", slow)
        assert thumbnails.get("2", 96)
    assert list(home.iterdir()) == []  # no ghost of it, so that its name is free again
    with pytest.raises(ImageError, match="the dataset may have been removed"):
        thumbnails.get("1", 96)
    import_dataset("glami", [str(tmp_path / "g.zip")], "g")


def test_an_archive_that_is_gone_or_another(pictures, tmp_path):
    (tmp_path / "g.zip").write_bytes(b"x" * 100_000)
    with pytest.raises(ImageError, match=r"has changed since it was imported. Import it again"):
        pictures.read("1")
    (tmp_path / "g.zip").unlink()
    with pytest.raises(ImageError, match=r"cannot be read: .*No such file"):
        pictures.read("1")


def test_bombs_in_an_archive(home, tmp_path, monkeypatch):
    """A member that unpacks to more than Vitrine opens, and one that says it is small."""
    files = glami_files() | {"GLAMI-1M-dataset/images/0.jpg": bytes(3_000_000)}
    import_dataset("glami", [str(write_zip(tmp_path / "g.zip", files))], "g")
    monkeypatch.setattr(images, "settings", lambda: Settings(home=settings().home, image_bytes=1_000_000))
    with pytest.raises(ImageError, match="larger than Vitrine opens"):
        Pictures(info("g")).read("0")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_how_an_archive_is_packed(home, tmp_path, method):
    import_dataset("glami", [str(write_zip(tmp_path / "g.zip", glami_files(), method))], "g")
    if method == zipfile.ZIP_BZIP2:
        with pytest.raises(ImageError, match="uses a compression method"):
            Pictures(info("g")).read("1")
    else:
        assert Pictures(info("g")).read("1") == picture()


def test_many_threads_ask_at_once(pictures):
    thumbnails = Thumbnails(pictures)
    wrong: list[object] = []

    def look() -> None:
        for _ in range(20):
            for number in range(6):
                if thumbnails.get(str(number), 96)[8:12] != b"WEBP":
                    wrong.append(number)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_picture_that_became_a_pipe_blocks_nobody(home, tmp_path):
    write_files(tmp_path / "own", {"shoes/a.jpg": picture()})
    import_dataset("folder", [str(tmp_path / "own")], "f")
    (tmp_path / "own/shoes/a.jpg").unlink()
    os.mkfifo(tmp_path / "own/shoes/a.jpg")
    with pytest.raises(ImageError, match="The folder may have been moved"):
        Pictures(info("f")).read("shoes/a.jpg")


def test_a_path_written_into_the_table_by_hand(home, tmp_path):
    """Even a dataset folder that somebody else made leads nowhere but into its own root."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_files(
        tmp_path / "own",
        {"t.csv": csv_bytes([{"name": "a", "image": "a.jpg"}], ("name", "image")), "a.jpg": picture()},
    )
    import_dataset("table", [str(tmp_path / "own/t.csv")], "t")
    table = pq.read_table(home / "t/pictures.parquet")
    for path in ("../../etc/passwd", "/etc/passwd", "a/../../x"):
        pq.write_table(table.set_column(1, "image", pa.array([path])), home / "t/pictures.parquet")
        with pytest.raises(ImageError, match="is not inside the dataset's folder"):
            Pictures(info("t")).read("a.jpg")
