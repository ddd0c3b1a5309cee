"""Archives made to hurt: each becomes a dataset whose pictures open or are refused, or is one clear line."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from core.catalog.build import import_dataset
from core.catalog.info import info
from core.errors import ImageError, SourceError
from core.images.pictures import Pictures
from tests.shapes import csv_bytes, glami_files, glami_row, write_zip

FIELDS = {"version": (6, "H"), "flags": (8, "H"), "method": (10, "H"), "crc": (16, "I"), "packed": (20, "I"), "size": (24, "I"),
          "name": (28, "H"), "extra": (30, "H"), "comment": (32, "H"), "disk": (34, "H"), "offset": (42, "I")}  # fmt: skip
END = {"disk": (4, "H"), "entries": (10, "H"), "size": (12, "I"), "offset": (16, "I"), "comment": (20, "H")}
HUGE = 2**64 - 1


def opened(home: Path, archive: Path) -> None:
    """Import it and open every picture; nothing but the two expected errors may come out, and nothing may be left."""
    try:
        import_dataset("glami", [str(archive)], "odd")
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
        assert list(home.iterdir()) == []
        return
    pictures = Pictures(info("odd"))
    for number in range(4):
        try:
            pictures.read(str(number))
        except ImageError:
            continue


def changed(data: bytes, what: str, value: int, member: str = "") -> bytes:
    """The same archive with a field of its directory changed: of the member whose name ends so, or of the end."""
    out = bytearray(data)
    if not member:
        at, (start, kind) = data.rindex(b"PK\x05\x06"), END[what]
    else:
        at, (start, kind) = -1, FIELDS[what]
        while True:
            at = data.index(b"PK\x01\x02", at + 1)
            length = int.from_bytes(data[at + 28 : at + 30], "little")
            if data[at + 46 : at + 46 + length].endswith(member.encode()):
                break
    struct.pack_into("<" + kind, out, at + start, value)
    return bytes(out)


ODD = [
    *[("method", value, name) for name in ("train.csv", "/0.jpg") for value in (1, 12, 14, 93, 99, 65535)],
    *[("flags", value, name) for name in ("train.csv", "/0.jpg") for value in (1, 0x41, 0xFFFF)],
    *[("size", value, name) for name in ("train.csv", "/0.jpg") for value in (0, 2**31, 2**32 - 2)],
    *[("packed", value, "/0.jpg") for value in (0, 2**31, 2**32 - 2)],
    *[("offset", value, name) for name in ("train.csv", "/0.jpg") for value in (7, 2**32 - 2)],
    *[("name", 65535, "/0.jpg"), ("extra", 65535, "/0.jpg"), ("comment", 65535, "/0.jpg"), ("version", 65535, "/0.jpg")],
    *[("disk", 9, "/0.jpg"), ("crc", 1, "train.csv")],
    *[("entries", 0, ""), ("entries", 65535, ""), ("size", 2**32 - 1, ""), ("offset", 2**32 - 1, ""), ("disk", 65535, "")],
    ("comment", 65535, ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "value", "member"), ODD)
def test_an_odd_zip(home: Path, tmp_path: Path, what: str, value: int, member: str) -> None:
    whole = write_zip(tmp_path / "whole.zip", glami_files()).read_bytes()
    (tmp_path / "odd.zip").write_bytes(changed(whole, what, value, member))
    opened(home, tmp_path / "odd.zip")


@pytest.mark.parametrize("member", ["train.csv", "/0.jpg"])
@pytest.mark.parametrize("sizes", [(HUGE, HUGE, 0), (10, HUGE, HUGE), (10, 10, HUGE), (10, 10, 2**63)])
def test_a_zip64_of_18_exabytes(home: Path, tmp_path: Path, member: str, sizes: tuple[int, int, int]) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in glami_files().items():
            entry = zipfile.ZipInfo(name)
            if name.endswith(member):
                entry.extra = struct.pack(
                    "<HHQQQ", 0xCAFE, 24, *sizes
                )  # renamed below: zipfile would read it
            archive.writestr(entry, data)
    data = path.read_bytes().replace(struct.pack("<HH", 0xCAFE, 24), struct.pack("<HH", 1, 24))
    for field in ("size", "packed", "offset"):
        data = changed(data, field, 2**32 - 1, member)
    path.write_bytes(data)
    opened(home, path)


def hostile(kind: str) -> list[tuple[str, bytes, int]]:
    """(name, content, external attributes) of the members."""
    members = [(name, data, 0) for name, data in glami_files().items()]
    names = {"climbs": "../../0.jpg", "absolute": "/etc/0.jpg", "drive": "C:\\0.jpg", "nul": "a\0b/0.jpg",
             "long": "x" * 60_000 + "/0.jpg", "surrogate": "\u202egpj.0/0.jpg"}  # fmt: skip
    if kind in names:
        members[0] = (names[kind], members[0][1], 0)
    elif kind == "link":
        members[0] = (members[0][0], b"/etc/passwd", 0o120777 << 16)
    elif kind == "twice":
        members += members
    elif kind == "many":
        members += [(f"images/{number}.jpg", b"", 0) for number in range(100, 5_000)]
    elif kind == "row":
        rows = [glami_row(0, image_id="../../../etc/passwd"), glami_row(1, image_id="/etc/passwd")]
        members = [(name, csv_bytes(rows) if name.endswith(".csv") else data, 0) for name, data, _ in members]
    return members


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "kind", ["climbs", "absolute", "drive", "nul", "long", "surrogate", "link", "twice", "many", "row"]
)
def test_a_hostile_archive(home: Path, tmp_path: Path, kind: str) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for name, data, attributes in hostile(kind):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = attributes
            archive.writestr(entry, data)
    before = sorted(path.name for path in tmp_path.iterdir())
    opened(home, tmp_path / "evil.zip")
    assert sorted({path.name for path in tmp_path.iterdir()} - {"home"}) == before
    if (home / "odd").exists():
        pictures = Pictures(info("odd"))
        for image_id in ("0", "../../../etc/passwd", "/etc/passwd"):
            try:
                assert b"root:" not in pictures.read(image_id)
            except ImageError:
                continue
