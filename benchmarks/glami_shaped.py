"""An archive of GLAMI-1M's shape and size: rows, lengths, categories, countries and a picture each, all invented."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from PIL import Image

GEOS = ("cz", "sk", "ro", "gr", "si", "hu", "hr", "es", "lt", "lv", "tr", "ee", "bg")
GEO_SHARES = (0.17, 0.13, 0.12, 0.11, 0.09, 0.09, 0.08, 0.06, 0.05, 0.03, 0.03, 0.02, 0.02)
SOURCES = ("", "custom-tag", "combined-tag", "admin", "quality-check")
SOURCE_SHARES = {"train": (0.20, 0.45, 0.10, 0.24, 0.01), "test": (0.0, 0.55, 0.0, 0.40, 0.05)}
LATIN, GREEK, CYRILLIC = (
    "aaaeeeiioouuábcčdďéěfghíjklmnoprsštťúůvzž",
    "αβγδεικλμνοπρσςτφωάέίό",
    "абвгдеиклмнопрстя",
)
WORDS = 60_000
PICTURES_A_ROW = 0.88  # 968k pictures for 1.1M products: several offers share one


def write(path: Path, rows: int, seed: int = 0, stream_words: int = 8_000_000) -> None:
    """Write the archive: a tenth of the rows are the test split."""
    rng = np.random.default_rng(seed)
    words = _words(random.Random(seed), WORDS)
    ranks = (len(words) ** rng.random(stream_words)).astype(
        int
    ) - 1  # Zipf's law: the n-th word is n times rarer
    stream = " ".join(words[rank] for rank in ranks.tolist())
    pictures = max(1, int(rows * PICTURES_A_ROW))
    test = rows // 10
    with path.open("wb") as file:
        members = _write_pictures(file, pictures)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.start_dir = file.tell()
            archive.filelist, archive.NameToInfo = members, {member.filename: member for member in members}
            for split, first, count in (("train", 0, rows - test), ("test", rows - test, test)):
                table = _table(rng, stream, split, first, count, pictures)
                out = io.BytesIO()
                pa.csv.write_csv(table, out, pa.csv.WriteOptions(quoting_style="needed"))
                archive.writestr(f"GLAMI-1M-dataset/GLAMI-1M-{split}.csv", out.getvalue())


def common_words(seed: int = 0) -> list[str]:
    """Words to look for: from the most frequent to rare ones, and a few letters that occur in many."""
    words = _words(random.Random(seed), WORDS)
    return [words[rank].lower() for rank in (0, 1, 10, 100, 1_000, 10_000, WORDS - 1)] + ["ta", "šo"]


def _words(rng: random.Random, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        (letters,) = rng.choices((LATIN, GREEK, CYRILLIC), (10, 1, 1))
        found["".join(rng.choices(letters, k=rng.randint(2, 11)))] = None
    return list(found)


def _write_pictures(file: io.BufferedWriter, count: int) -> list[zipfile.ZipInfo]:
    """The same tiny JPEG under every name, stored; written by hand, a million calls of zipfile being slow."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "JPEG", quality=30)
    data = out.getvalue()
    checksum = zlib.crc32(data)
    members = []
    for number in range(count):
        name = f"GLAMI-1M-dataset/images/{number}.jpg"
        member = zipfile.ZipInfo(name)
        member.header_offset, member.CRC = file.tell(), checksum
        member.file_size = member.compress_size = len(data)
        members.append(member)
        header = struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0x21, checksum, len(data), len(data), len(name), 0
        )
        file.write(header + name.encode() + data)
    return members


def _table(
    rng: np.random.Generator, stream: str, split: str, first: int, count: int, pictures: int
) -> pa.Table:
    categories = (191 ** rng.random(count)).astype(int) - 1

    def texts(median: int, spread: float) -> list[str]:
        lengths = np.clip(rng.lognormal(np.log(median), spread, count), 3, 20 * median).astype(int)
        starts = rng.integers(0, len(stream) - 20 * median, count)
        return [
            stream[start : start + length].strip().capitalize()
            for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
        ]

    return pa.table(
        {
            "item_id": np.arange(first, first + count) + 500_000,
            "image_id": rng.integers(0, pictures, count),
            "geo": rng.choice(GEOS, count, p=GEO_SHARES),
            "name": texts(38, 0.4),
            "description": texts(150, 0.9),
            "category": categories + 1_000,
            "category_name": [f"category-{number:03}" for number in categories.tolist()],
            "label_source": rng.choice(SOURCES, count, p=SOURCE_SHARES[split]),
        }
    )
