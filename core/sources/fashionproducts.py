"""Fashion Product Images (Kaggle): styles.csv, whose names hold commas that are not quoted, and images/ID.jpg.

Source: https://www.kaggle.com/datasets/paramaggarwal/fashion-product-images-dataset (and -small).
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import SourceError
from core.progress import Progress
from core.sources.bounds import RECORD_CHARACTERS
from core.sources.delimited import Record
from core.sources.reading import Reading, ReadOptions, SourceSpec, given
from core.sources.records import columns_reading

HEADER = (
    "id", "gender", "masterCategory", "subCategory", "articleType", "baseColour", "season", "year", "usage",
    "productDisplayName",
)  # fmt: skip
LEVELS = ("masterCategory", "subCategory", "articleType")
COLUMNS = {
    "item_id": "id",
    "image_id": "id",
    "name": "productDisplayName",
    "category": "path",
    "image": "picture",
}


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open styles.csv, or the folder that holds it and images/."""
    if len(paths) != 1:
        raise SourceError("fashionproducts takes one path: styles.csv or the folder that holds it.")
    table = _styles(given(paths[0], "styles.csv or its folder"))
    odd: Counter[str] = Counter()

    def notes() -> list[str]:
        return [f"{table.name}: {count:,} lines {what}." for what, count in odd.items()]

    return columns_reading(
        SPEC, table.parent, [(table, None)], lambda path: _records(path, odd), _shape, COLUMNS, options, progress, notes
    )  # fmt: skip


def _styles(path: Path) -> Path:
    if not path.is_dir():
        return path
    for place in (path / "styles.csv", *sorted(path.glob("*/styles.csv"))):
        if place.is_file():
            return place
    raise SourceError(f"There is no styles.csv in {path}. Give the folder that Kaggle's archive unpacks to.")


def _records(path: Path, odd: Counter[str]) -> Iterator[tuple[Record, int]]:
    """Every line as a record: a name's own commas are put back, fields that are missing at the end are empty."""
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        header = tuple(field.strip() for field in text.readline(RECORD_CHARACTERS).rstrip("\r\n").split(","))
        if header != HEADER:
            raise SourceError(
                f"{path.name} is not the table of Fashion Product Images: its columns are {', '.join(header)[:200]}. "
                f"They should be {', '.join(HEADER)}. For another table use the source `table`."
            )
        number, done = 1, len(",".join(header))
        while line := text.readline(RECORD_CHARACTERS):
            number += 1
            done += len(line)
            if len(line) == RECORD_CHARACTERS:
                raise SourceError(
                    f"{path.name} is damaged: line {number} is longer than {RECORD_CHARACTERS >> 20} MB."
                )
            if not line.strip():
                continue
            fields = line.rstrip("\r\n").split(",")
            if len(fields) > len(HEADER):
                odd["have commas in the product's name, which was put together again"] += 1
                fields[len(HEADER) - 1 :] = [",".join(fields[len(HEADER) - 1 :])]
            elif len(fields) < len(HEADER):
                odd["have fewer fields than columns; the last ones are empty"] += 1
                fields += [""] * (len(HEADER) - len(fields))
            yield (number, dict(zip(HEADER, fields, strict=True)), "", None), done


def _shape(fields: dict[str, Any]) -> dict[str, Any] | str:
    name = fields["productDisplayName"]
    if len(name) > 1 and name[0] == name[-1] == '"':  # some copies are quoted after all
        fields["productDisplayName"] = name[1:-1].replace('""', '"')
    levels = [fields.pop(level) for level in LEVELS]
    fields["path"] = [level for level in levels if level]
    fields["picture"] = f"images/{fields['id']}.jpg"
    return fields if fields["id"].strip() else "no id"


SPEC = SourceSpec(
    name="fashionproducts",
    title="Fashion Product Images",
    homepage="https://www.kaggle.com/datasets/paramaggarwal/fashion-product-images-dataset",
    licence="MIT (as Kaggle states)",
    accepts="styles.csv, or the folder with it and images/, of the full or the small set",
    read=read,
    citation="Param Aggarwal: Fashion Product Images Dataset. Kaggle, 2019.",
)
