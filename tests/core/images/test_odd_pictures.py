"""Pictures that every browser shows."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from core.errors import ImageError
from core.images.pictures import decode
from tests.shapes import picture


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def test_a_jpeg_without_its_end():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    whole = saved(noise, "JPEG")
    shown = np.asarray(decode(whole[:-2]))
    assert np.array_equal(shown, np.asarray(decode(whole)))
    assert np.array_equal(np.asarray(decode(whole[: len(whole) // 2]))[:8], np.asarray(decode(whole))[:8])


@pytest.mark.parametrize("zipped", [True, False])
def test_a_png_with_a_megabyte_of_text(zipped):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * 3_000_000, zip=zipped)
    notes.add_itxt("XML:com.adobe.xmp", "y" * 3_000_000, zip=zipped)
    assert decode(saved(Image.new("RGB", (8, 8), (10, 200, 30)), "PNG", pnginfo=notes)).getpixel((3, 3)) == (
        10,
        200,
        30,
    )


@pytest.mark.parametrize(
    ("values", "grey"),
    [
        (np.array([[0, 2**30, 2**31 - 1]], np.int32), (0, 63, 127)),
        (np.array([[0, 100, 255]], np.int32), (0, 100, 255)),
        (np.array([[0, 0.5, 1]], np.float32), (0, 127, 255)),
        (np.array([[0, 100, 255]], np.float32), (0, 100, 255)),
    ],
)
def test_a_tiff_of_32_bits(values, grey):
    shown = decode(saved(Image.fromarray(values), "TIFF"))
    assert [shown.getpixel((x, 0))[0] for x in range(3)] == list(grey)


def test_a_png_of_16_bits_with_a_transparent_grey():
    image = Image.fromarray(np.array([[0, 1_000, 65_535]], np.uint16))
    shown = decode(saved(image, "PNG", transparency=1_000))
    assert [shown.getpixel((x, 0))[0] for x in range(3)] == [0, 255, 255]


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@pytest.mark.parametrize("clear", [(1_000, 2_000, 60_000), (7, 7, 7)])
def test_a_png_of_16_bits_with_a_transparent_colour(clear):
    rows = b"".join(b"\0" + np.array([clear, (65_535, 0, 0)], ">u2").tobytes() for _ in range(2))
    head = b"\0\0\0\2\0\0\0\2\x10\2\0\0\0"
    parts = [chunk(b"IHDR", head), chunk(b"tRNS", np.array(clear, ">u2").tobytes())]
    parts += [chunk(b"iCCP", b"x\0\0" + zlib.compress(b"x" * 3_000_000)), chunk(b"IDAT", zlib.compress(rows))]
    shown = decode(b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IEND", b"")]))
    assert shown.getpixel((0, 0)) == (255, 255, 255) and shown.getpixel((1, 1)) == (255, 0, 0)


def test_heic():
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), (200, 30, 30))).save(out)
    assert decode(out.getvalue()).getpixel((30, 30))[0] > 180
    with pytest.raises(ImageError, match="HEIC"):
        decode(out.getvalue()[:100])
    assert decode(picture()).mode == "RGB"
