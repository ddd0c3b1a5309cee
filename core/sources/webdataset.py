"""WebDataset: tar shards whose files of one name are one sample (0001.jpg, 0001.txt, 0001.json), read in place.

Source: https://github.com/webdataset/webdataset, "the WebDataset format".
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.errors import SourceError
from core.progress import Progress
from core.schema import PICTURES
from core.sources.archive import IN_PLACE, PICTURE_SUFFIXES
from core.sources.converter import SPLITS, RecordConverter
from core.sources.reading import (
    Collector,
    Found,
    Places,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    given,
    is_inside,
    valid,
)
from core.sources.values import text_of

TEXT_BYTES = 4 * 2**20  # of one .txt, .json or .cls
MEMBERS = 64  # of one sample
CHUNK = 50_000  # rows of the directory at once
NAMES = {"item_id": ("id", "key", "item_id"), "name": ("title", "name", "caption", "text"),
         "description": ("description",), "category": ("category", "label", "class", "cls")}  # fmt: skip
COLUMNS = {
    "item_id": "__id__",
    "name": "__name__",
    "description": "__description__",
    "category": "__category__",
}
_SPLIT = re.compile(r"[a-z]+")


@dataclass
class _Sample:
    key: str
    texts: dict[str, bytes] = field(default_factory=dict)  # ending -> bytes
    picture: tarfile.TarInfo | None = None
    count: int = 0
    reason: str = ""


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open one shard, several, or a folder of them."""
    shards: list[Path] = []
    for path in paths:
        place = given(path, "tar shard or folder of them")
        found = sorted(place.glob("**/*.tar")) if place.is_dir() else [place]
        if not found:
            raise SourceError(f"There is no .tar in {place}.")
        shards += found
    warnings: list[str] = []
    directory = _Directory()
    collector = Collector(options)
    converter = RecordConverter(collector, shards[0].parent, options, warnings)
    sizes = [max(1, shard.stat().st_size) for shard in shards]

    def rows() -> Generator[None]:
        before = without = 0
        try:
            for part, (shard, size) in enumerate(zip(shards, sizes, strict=True)):
                for sample, done in _samples(shard, warnings):
                    without += _add(converter, directory, shard.name, part, sample, _split(shard))
                    yield
                    if converter.seen % 5_000 == 0:
                        progress(before + min(done, size), sum(sizes), "Reading the shards")
                before += size
            progress(sum(sizes), sum(sizes), "Reading the shards")
        finally:
            if without:
                warnings.append(f"{without:,} samples have no picture.")
            converter.finish()

    return Reading(
        batches_of(collector, rows()),
        Places(tuple(map(str, shards)), directory.table),
        SPEC.licence,
        warnings,
        found=Found(),
        size=sum(sizes),
    )


class _Directory:
    """Where the pictures lie, as numbers rather than Python's objects once there are many."""

    def __init__(self) -> None:
        self._chunks: list[pa.Table] = []
        self._rows: list[tuple[str, str, int, int, int, int]] = []

    def add(self, image: str, part: int, member: tarfile.TarInfo) -> None:
        self._rows.append((image, image, part, member.offset_data, member.size, IN_PLACE))
        if len(self._rows) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(PICTURES)
        self._chunks.append(pa.table([list(column) for column in columns], schema=PICTURES))
        self._rows = []

    def table(self) -> pa.Table:
        self._flush()
        return pa.concat_tables(self._chunks).combine_chunks()


def _samples(shard: Path, warnings: list[str]) -> Iterator[tuple[_Sample, int]]:
    """The samples of a shard, in order, with how far it has been read."""
    with shard.open("rb") as raw:
        head = raw.read(512)
        raw.seek(0)
        if head[:2] == b"\x1f\x8b" or head[:4] in (b"\x28\xb5\x2f\xfd", b"BZh9"):
            raise SourceError(
                f"{shard.name} is compressed, so it cannot be read in place. Unpack it to a plain .tar."
            )
        try:
            archive = tarfile.open(fileobj=raw, mode="r:", errorlevel=2)  # noqa: SIM115 (`raw` is closed)
        except tarfile.TarError as error:
            raise SourceError(f"{shard.name} is not a tar archive (it begins with {head[:8]!r}).") from error
        sample: _Sample | None = None
        while True:
            try:
                member = archive.next()
            except (tarfile.TarError, ValueError) as error:
                warnings.append(
                    f"{shard.name} is damaged at byte {raw.tell():,} ({error}); what comes after was not read."
                )
                break
            if member is None:
                raw.seek(archive.offset)
                if raw.read(tarfile.BLOCKSIZE).strip(b"\0"):
                    warnings.append(
                        f"{shard.name} is cut short; what comes after {sample.key if sample else 0} was not read."
                    )
                break
            archive.members = []  # type: ignore[attr-defined]  # it remembers every member otherwise
            if not member.isfile():
                continue
            name = valid(member.name)
            directory, _, base = name.rpartition("/")
            stem, dot, ending = base.partition(".")
            key = f"{directory}/{stem}" if directory else stem
            if sample is None or key != sample.key:
                if sample is not None:
                    yield sample, member.offset
                sample = _Sample(key)
            _take(sample, archive, member, name, f"{dot}{ending}".lower())
            if member.offset_data + member.size > shard.stat().st_size:
                sample.picture, sample.reason = None, "the shard is cut short in it"
        if sample is not None:
            yield sample, raw.tell()


def _take(sample: _Sample, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, ending: str) -> None:
    sample.count += 1
    if not is_inside(name):
        sample.reason = "a name that leaves its folder"
    elif sample.count > MEMBERS:
        sample.reason = f"more than {MEMBERS} files of one name"
    elif any(ending.endswith(suffix) for suffix in PICTURE_SUFFIXES):
        sample.picture = sample.picture or member
    elif ending in (".txt", ".json", ".cls", ".caption"):
        if member.size > TEXT_BYTES:
            sample.reason = f"a text of more than {TEXT_BYTES >> 20} MB"
        elif (file := archive.extractfile(member)) is not None:
            try:
                sample.texts[ending] = file.read()
            except (tarfile.TarError, OSError):
                sample.reason = "the shard is cut short in it"


def _add(
    converter: RecordConverter,
    directory: _Directory,
    shard: str,
    part: int,
    sample: _Sample,
    split: str | None,
) -> bool:
    """One sample as a product; True where it has no picture."""
    place = f"{shard}:{sample.key}"
    fields, reason = _fields(sample)
    if sample.reason or reason:
        converter.add((converter.seen + 1, None, sample.reason or reason, place), COLUMNS, f"{shard}:")
        return False
    image = None
    if sample.picture is not None:
        image = f"{shard}/{valid(sample.picture.name)}"
        directory.add(image, part, sample.picture)
    fields["__id__"] = fields.get("__id__") or (sample.key if part == 0 else f"{shard}/{sample.key}")
    converter.add((converter.seen + 1, fields, "", None), COLUMNS, f"{shard}:", split=split, picture=image)
    return image is None


def _fields(sample: _Sample) -> tuple[dict[str, Any], str]:
    """The texts as fields, or why they are none."""
    fields: dict[str, Any] = {}
    try:
        if ".json" in sample.texts:
            found = json.loads(sample.texts[".json"])
            if not isinstance(found, dict):
                return {}, "not a JSON object"
            fields = found
        for ending in (".txt", ".caption"):
            if ending in sample.texts:
                fields.setdefault("caption", sample.texts[ending].decode())
        if ".cls" in sample.texts:
            fields.setdefault("cls", sample.texts[".cls"].decode().strip())
    except RecursionError:
        return {}, "nested too deep"
    except ValueError as error:
        return {}, "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not JSON"
    lower = {str(key).lower(): key for key in fields}
    for ours, theirs in NAMES.items():
        for name in theirs:
            key = lower.get(name)
            if key is not None and fields.get(key) not in (None, "", []):
                value = fields.pop(key)
                fields[COLUMNS[ours]] = value if ours == "category" else text_of(value)
                break
    return fields, ""


def _split(shard: Path) -> str | None:
    found = _SPLIT.match(shard.name.lower())
    return SPLITS.get(found[0] if found else "") or SPLITS.get(shard.parent.name.lower())


SPEC = SourceSpec(
    name="webdataset",
    title="WebDataset shards",
    homepage="https://github.com/webdataset/webdataset",
    licence="your own",
    accepts="a .tar, several, or a folder of them: NAME.jpg with NAME.txt, NAME.json or NAME.cls; read in place",
    read=read,
)
