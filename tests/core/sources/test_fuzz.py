"""Random tables, written by pandas and pyarrow, read back by Vitrine. More of them: VITRINE_FUZZ=20000."""

from __future__ import annotations

import csv
import gzip
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.progress import no_progress
from core.sources import table
from core.sources.reading import ReadOptions

# Letters, what dialects are made of, and white space; no digits, whose lines could be rows of their own.
TEXT = st.text(alphabet="abcXY ,;|\t\"'\\\n>ŠéÅ连\u00a0", min_size=1, max_size=12)
ROW = st.fixed_dictionaries(
    {
        "id": st.one_of(st.none(), st.integers(0, 10**15)),
        "name": st.one_of(st.none(), TEXT),
        "description": TEXT.filter(lambda text: text.strip()),
        "category": st.one_of(st.none(), TEXT.filter(lambda text: text.strip() and text[0] not in "[")),
        "note": st.one_of(st.none(), TEXT),
    }
)
KIND = st.sampled_from(["csv", "tsv", "csv.gz", "jsonl", "json", "parquet", "arrow"])
EXAMPLES = int(os.environ.get("VITRINE_FUZZ", "2000"))


def write(folder: Path, rows: list[dict[str, Any]], kind: str, draw: Any) -> tuple[Path, ReadOptions]:
    path, options = folder / f"t.{'parquet' if kind == 'arrow' else kind}", ReadOptions(separator="###")
    frame = pd.DataFrame(rows)
    if draw(st.booleans()):
        frame["id"] = frame["id"].astype("Int64")
    if kind == "arrow":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "parquet":
        frame.to_parquet(path, index=False)
    elif kind == "json":
        path.write_text(
            json.dumps(rows, indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
        )
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=draw(st.booleans())) for row in rows))
    else:
        mark = "\t" if kind == "tsv" else draw(st.sampled_from([",", ";", "|"]))
        encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
        quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
        text = frame.to_csv(sep=mark, index=False, quoting=quoting)
        data = text.encode(encoding)
        path.write_bytes(gzip.compress(data, 1) if kind == "csv.gz" else data)
    return path, options


def read(path: Path, options: ReadOptions) -> tuple[list[dict[str, Any]], int]:
    reading = table.read([str(path)], options, no_progress)
    rows: list[dict[str, Any]] = []
    rejected = 0
    for batch in reading.batches:
        rows += batch.products.to_pylist()
        rejected += batch.rejected.num_rows
    return rows, rejected


@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize="VITRINE_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.data())
def test_what_was_written_is_read(data):
    rows, kind = data.draw(st.lists(ROW, min_size=1, max_size=6)), data.draw(KIND)
    with tempfile.TemporaryDirectory() as folder:
        found, rejected = read(*write(Path(folder), rows, kind, data.draw))
    assert (len(found), rejected) == (len(rows), 0)
    for row, product in zip(rows, found, strict=True):
        assert product["name"] == row["name"] and product["description"] == row["description"]
        assert product["category"] == (row["category"] or "(no category)")
        assert (json.loads(product["extra"] or "{}")).get("note") == row["note"]
        if row["id"] is not None:
            assert product["item_id"] == str(row["id"])
        else:
            assert not product["item_id"].isdigit()
