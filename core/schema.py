"""The columns of `products.parquet`, the same for every dataset; missing values are NULL."""

from __future__ import annotations

import pyarrow as pa

PRODUCTS = pa.schema(
    [
        pa.field("row_id", pa.int64(), nullable=False),  # 0..n-1, the position in every array of the dataset
        ("item_id", pa.string()),  # as the source has it; may repeat
        ("image_id", pa.string()),
        ("split", pa.string()),  # train, validation, test
        ("geo", pa.string()),  # country code as GLAMI writes it: cz, sk, ...
        ("language", pa.string()),  # BCP-47 tag
        ("name", pa.string()),
        ("description", pa.string()),
        ("category", pa.string()),  # the leaf label, human-readable
        ("category_path", pa.list_(pa.string())),  # root to leaf; length 1 where the source is flat
        ("category_id", pa.string()),
        ("label_source", pa.string()),  # NULL in the source becomes "unknown"
        ("label_kind", pa.string()),  # human or machine, by the source's own rule
        ("image", pa.string()),  # where core.images.pictures finds it; NULL where there is none
        ("name_length", pa.int32()),  # characters
        ("description_length", pa.int32()),
        ("extra", pa.string()),  # JSON: whatever else the source had
    ]
)

# Columns that a source provides; the build computes the others.
FROM_SOURCE = [name for name in PRODUCTS.names if name not in ("row_id", "name_length", "description_length")]

REJECTED = pa.schema([("place", pa.string()), ("reason", pa.string()), ("record", pa.string())])

# search.arrow: name and description, case-folded, one per line.
SEARCH = pa.schema([("row_id", pa.int64()), ("text", pa.large_string())])

# pictures.parquet: one row per picture, sorted by image_id, for /images/<dataset>/<image_id>.
PICTURES = pa.schema(
    [
        ("image_id", pa.string()),
        ("image", pa.string()),
        ("part", pa.int16()),  # which of the archives
        ("offset", pa.int64()),  # of the local file header in that archive, bytes
        ("size", pa.int64()),  # as stored, bytes
        ("method", pa.int16()),  # zip compression method: 0 stored, 8 deflate
    ]
)

# Where GLAMI's country code is not already a language subtag.
LANGUAGE_OF_GEO = {
    "cz": "cs", "sk": "sk", "ro": "ro", "gr": "el", "si": "sl", "hu": "hu", "hr": "hr",
    "es": "es", "lt": "lt", "lv": "lv", "tr": "tr", "ee": "et", "bg": "bg",
}  # fmt: skip

COUNTRY_OF_GEO = {
    "cz": "Czechia", "sk": "Slovakia", "ro": "Romania", "gr": "Greece", "si": "Slovenia", "hu": "Hungary",
    "hr": "Croatia", "es": "Spain", "lt": "Lithuania", "lv": "Latvia", "tr": "Turkey", "ee": "Estonia",
    "bg": "Bulgaria",
}  # fmt: skip
