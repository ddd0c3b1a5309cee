"""Pictures made to eat memory or time: refused in one line, or opened within the bounds."""

from __future__ import annotations

import io
import resource
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from core.errors import ImageError
from core.images.pictures import decode
from core.settings import settings

MEMORY_KB = 600 * 1024  # 64 million pixels are 192 MB as RGB, and are copied once


def saved(kind: str, mode: str = "RGB", size: tuple[int, int] = (8, 8), **how: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **how)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int,
    height: int,
    *before: bytes,
    depth: int = 8,
    colour: int = 2,
    rows: int = 100,
    interlaced: int = 0,
) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    data = zlib.compress(bytes(rows * (1 + 3 * min(width, 10_000))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), *before, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    )


def frames(kind: str, count: int, size: tuple[int, int]) -> bytes:
    images = [Image.new("RGB", size, (number % 256, 0, 0)) for number in range(count)]
    out = io.BytesIO()
    images[0].save(out, kind, save_all=True, append_images=images[1:])
    return out.getvalue()


def patched(data: bytes, at: int, fmt: str, *values: int) -> bytes:
    out = bytearray(data)
    struct.pack_into(fmt, out, at, *values)
    return bytes(out)


def tiff(width: int, height: int, *tags: tuple[int, int, int, int], loop: bool = False) -> bytes:
    entries = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, 16),
    }
    entries |= {tag: tuple(rest) for tag, *rest in tags}  # type: ignore[misc]
    body = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return (
        b"II*\0"
        + struct.pack("<I", 8)
        + struct.pack("<H", len(entries))
        + body
        + struct.pack("<I", 8 if loop else 0)
    )


def jpeg_size(width: int, height: int) -> bytes:
    data = saved("JPEG")
    return patched(data, data.index(b"\xff\xc0") + 5, ">HH", height, width)


TEXT = zlib.compress(bytes(80 * 2**20), 9)
BOMBS: dict[str, Callable[[], bytes]] = {
    "png 2^31 wide": lambda: png(2**31 - 1, 2**31 - 1),
    "png 30,000 square": lambda: png(30_000, 30_000),
    "png of one bit, 300,000 square": lambda: png(300_000, 300_000, depth=1, colour=0),
    "png of 16 bits with transparency": lambda: png(9_000, 9_000, depth=16, colour=6),
    "png that unfolds beyond its rows": lambda: png(8, 8, rows=200_000),
    "png interlaced and huge": lambda: png(60_000, 60_000, interlaced=1),
    "png with 80 MB of zTXt": lambda: png(8, 8, chunk(b"zTXt", b"Comment\0\0" + TEXT)),
    "png with 80 MB of iTXt": lambda: png(8, 8, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + TEXT)),
    "png with 80 MB of profile": lambda: png(8, 8, chunk(b"iCCP", b"icc\0\0" + TEXT)),
    "png with 20,000 texts": lambda: png(8, 8, *[chunk(b"tEXt", b"a\0" + b"x" * 99)] * 20_000),
    "png of 300 frames": lambda: frames("PNG", 300, (64, 64)),
    "gif with a screen of 65,535 square": lambda: patched(saved("GIF", "P"), 6, "<HH", 65_535, 65_535),
    "gif of 2,000 frames": lambda: frames("GIF", 2_000, (16, 16)),
    "webp of 300 frames": lambda: frames("WEBP", 300, (64, 64)),
    "webp with a canvas of 2^24 square": lambda: patched(frames("WEBP", 2, (8, 8)), 24, "<IH", 0xFFFFFFFF, 0xFFFF),
    "bmp of 2^30 square": lambda: patched(saved("BMP"), 18, "<ii", 2**30, 2**30),
    "bmp of run lengths": lambda: patched(patched(saved("BMP", "P"), 18, "<ii", 60_000, 60_000), 30, "<I", 1),
    "tiff of 2^31 square": lambda: tiff(2**31 - 1, 2**31 - 1),
    "tiff with 2^30 strips": lambda: tiff(64, 64, (273, 4, 2**30, 8), (279, 4, 2**30, 8)),
    "tiff whose pages go round": lambda: tiff(4, 4, loop=True),
    "jpeg of 65,500 square": lambda: jpeg_size(65_500, 65_500),
    "jpeg with 60,000 comments": lambda: saved("JPEG")[:2] + b"\xff\xfe\0\x10comment here.." * 60_000 + saved("JPEG")[2:],
    "eps that would start a program": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n%%EndComments\n",
    "svg of entities": lambda: b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><svg xmlns='http://www.w3.org/2000/svg'>&b;</svg>",
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_picture_bomb(kind: str) -> None:
    data = BOMBS[kind]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        shown = decode(data, 240)
        assert shown.width * shown.height <= settings().image_pixels
    except ImageError as error:
        assert len(str(error).splitlines()) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KB
