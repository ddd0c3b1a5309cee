"""FashionGen: HDF5 files of training and validation, one row a picture; pictures are read in place.

Source: Rostamzadeh et al., "Fashion-Gen: The generative fashion dataset and challenge", 2018.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.errors import SourceError
from core.progress import Progress
from core.schema import PICTURES
from core.sources.archive import HDF5_IMAGES, IN_HDF5
from core.sources.converter import RecordConverter
from core.sources.reading import Collector, Found, Places, Reading, ReadOptions, SourceSpec, batches_of, given

ROWS = 1_000  # read at once
IMAGES = HDF5_IMAGES
REQUIRED = (IMAGES, "input_name", "input_category")
# Fields that are ours; a product has one row for each of its pictures, so that item_id repeats.
TEXTS = {"input_productID": "item_id", "input_name": "name", "input_description": "description",
         "input_category": "category", "input_subcategory": "subcategory"}  # fmt: skip
CONCATENATED = ("input_concatenated_description", "input_concat_description")
COLUMNS = {name: name for name in ("item_id", "image_id", "name", "description")} | {"category": "path"}


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open fashiongen_*_train.h5 and/or fashiongen_*_validation.h5, or their folder."""
    import h5py

    files: list[Path] = []
    for path in paths:
        place = given(path, "FashionGen file or folder")
        found = (
            sorted(p for ending in ("*.h5", "*.hdf5") for p in place.glob(ending))
            if place.is_dir()
            else [place]
        )
        if not found:
            raise SourceError(f"There is no .h5 file in {place}.")
        files += found
    warnings: list[str] = []
    collector = Collector(options)
    converter = RecordConverter(collector, files[0].parent, options, warnings)
    with ExitStack() as stack:
        opened = [(file, stack.enter_context(_open(h5py, file))) for file in files]
        counts = [_check(file, data, warnings) for file, data in opened]
        close = stack.pop_all().close

    def rows() -> Generator[None]:
        done = 0
        try:
            for (file, data), count in zip(opened, counts, strict=True):
                for start in range(0, count, ROWS):
                    for row, fields in enumerate(_block(file, data, start, min(count, start + ROWS)), start):
                        picture = f"{file.name}#{row}"
                        converter.add(
                            (row + 1, fields, "", None), COLUMNS, f"{file.name}:", "", _split(file), picture
                        )
                        yield
                    progress(done + start, sum(counts), "Reading products")
                done += count
            progress(done, done, "Reading products")
        finally:
            converter.finish()

    return Reading(
        batches_of(collector, rows()),
        Places(tuple(map(str, files)), _directory(files, counts, opened)),
        SPEC.licence,
        warnings,
        close=close,
        found=Found(names=list(COLUMNS)),
        size=sum(file.stat().st_size for file in files),
    )


def _open(h5py: Any, file: Path) -> Any:
    try:
        return h5py.File(file, "r")
    except OSError as error:
        raise SourceError(
            f"{file.name} is not an HDF5 file, or it was cut short. Download it again."
        ) from error


def _check(file: Path, data: Any, warnings: list[str]) -> int:
    """How many rows all fields have.

    Raises:
        SourceError: a field is missing, of another length, or the pictures are no pictures.
    """
    missing = [name for name in REQUIRED if name not in data]
    if missing:
        raise SourceError(f"{file.name} is not FashionGen: it has no {', '.join(missing)}.")
    images = data[IMAGES]
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise SourceError(
            f"{file.name}: {IMAGES} should be (rows, height, width, 3) of bytes; it is {images.shape} of {images.dtype}."
        )
    count = len(images)
    for name in sorted(name for name in data if name.startswith("input_") and name != IMAGES):
        if not data[name].shape or len(data[name]) != count:
            shape = data[name].shape
            raise SourceError(
                f"{file.name}: {name} has {shape[0] if shape else 'no'} rows and {IMAGES} has {count:,}. "
                "The file may be damaged; download it again."
            )
    if not any(name in data for name in (*CONCATENATED, "input_description")):
        warnings.append(f"{file.name} has no descriptions.")
    return count


def _block(file: Path, data: Any, start: int, end: int) -> list[dict[str, Any]]:
    """The fields of some rows, without the pictures."""
    try:
        columns = {
            name: _texts(data[name][start:end])
            for name in data
            if name.startswith("input_") and name != IMAGES
        }
    except OSError as error:
        raise SourceError(
            f"{file.name} is damaged in rows {start:,} to {end:,}: {error}. Download it again."
        ) from error
    rows = []
    for at in range(end - start):
        fields = {name: values[at] for name, values in columns.items() if values[at] != ""}
        row = {ours: fields.pop(theirs, None) for theirs, ours in TEXTS.items()}
        whole = next((fields.pop(name) for name in CONCATENATED if name in fields), None)
        row["description"] = row["description"] or whole
        row["path"] = [level for level in (row.pop("category"), row.pop("subcategory")) if level]
        row["item_id"] = row["item_id"] or f"{file.stem}-{start + at}"
        row["image_id"] = f"{file.stem}-{start + at}"
        rows.append(row | {name.removeprefix("input_"): value for name, value in fields.items()})
    return rows


def _texts(values: Any) -> list[Any]:
    """Rows of shape (n,) or (n, 1) as Python's values; bytes are Latin-1."""
    values = np.asarray(values)
    values = values.reshape(len(values), -1)[:, 0] if values.ndim > 1 else values
    return [
        value.decode("latin-1").strip() if isinstance(value, bytes) else value for value in values.tolist()
    ]


def _directory(files: list[Path], counts: list[int], opened: list[tuple[Path, Any]]) -> pa.Table:
    parts = []
    for part, (file, count, (_, data)) in enumerate(zip(files, counts, opened, strict=True)):
        size = int(np.prod(data[IMAGES].shape[1:]))
        columns = [
            [f"{file.stem}-{row}" for row in range(count)],
            [f"{file.name}#{row}" for row in range(count)],
            [part] * count,
            list(range(count)),  # the row is the offset
            [size] * count,
            [IN_HDF5] * count,
        ]
        parts.append(pa.table(columns, schema=PICTURES))
    return pa.concat_tables(parts)


def _split(file: Path) -> str | None:
    name = file.stem.lower()
    return (
        "train" if "train" in name else "validation" if "val" in name else "test" if "test" in name else None
    )


SPEC = SourceSpec(
    name="fashiongen",
    title="FashionGen",
    homepage="https://arxiv.org/abs/1806.08317",
    licence="for research; ask its publisher",
    accepts="fashiongen_256_256_train.h5 and _validation.h5, or their folder; pictures are read in place",
    read=read,
    citation="Rostamzadeh et al.: Fashion-Gen: The generative fashion dataset and challenge. arXiv:1806.08317.",
)
