"""The certificate of a dataset's leakage, and the list of products to drop, as Markdown, JSON and CSV."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from core.catalog.products import Products
from core.duplicates.detectors import detector
from core.duplicates.finding import Found
from core.duplicates.leakage import Keep, Splits, leakage, to_drop

Report = dict[str, Any]


def certificate(
    products: Products,
    founds: Mapping[str, Found],
    thresholds: Mapping[str, float],
    splits: Splits,
    keep: Keep = "test",
    within: bool = False,
    precision: Mapping[str, Mapping[str, float]] | None = None,
    counting: Sequence[str] | None = None,
) -> Report:
    """The duplicates and leakage of a dataset at given thresholds, as a dictionary.

    Args:
        precision: by detector, from judgements: precision, low, high, judged.
        counting: detectors whose duplicates are dropped; default: all.
    """
    info = products.info
    counting = list(thresholds) if counting is None else counting
    dropped = to_drop(founds, {key: thresholds[key] for key in counting}, splits, keep, within)
    parts = []
    for key, threshold in thresholds.items():
        counts = leakage(founds[key], splits, threshold).as_dict()
        described = founds[key].described
        parts.append(
            {
                **counts,
                "title": detector(key).title,
                "vectors": described.vectors,
                "searched": described.created,
                "seconds": described.seconds,
                "precision": dict((precision or {}).get(key, {})) or None,
            }
        )
    return {
        "dataset": info.name,
        "source": info.source,
        "fingerprint": info.fingerprint,
        "products": info.rows,
        "splits": splits.sizes,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "detectors": parts,
        "drop": {
            "detectors": list(counting),
            "keep": keep,
            "within_splits": within,
            "products": len(dropped),
            "list_sha256": hashlib.sha256(as_csv(drop_list(products, dropped, thresholds))).hexdigest(),
            "by_split": {str(name): int(count) for name, count in dropped["split"].value_counts().items()},
        },
    }


def as_markdown(report: Report) -> str:
    """The certificate as Markdown."""
    names = list(report["splits"])
    lines = [
        f"# Duplicates and leakage of {_cell(report['dataset'])}",
        "",
        f"{report['products']:,} products ("
        + ", ".join(f"{_cell(name)} {count:,}" for name, count in report["splits"].items())
        + f"), fingerprint `{report['fingerprint']}`, written {report['written']} by Vitrine.",
        "",
        "## Between splits",
        "",
        "Products of the first split that have a duplicate in the second, and their share of the first.",
        "",
        "| detector | threshold | "
        + " | ".join(f"{a} in {b}" for a, b in _crossings(names))
        + " | precision |",
        "|---|---|" + "---:|" * len(_crossings(names)) + "---|",
    ]
    for part in report["detectors"]:
        found = {(entry["split"], entry["other"]): entry for entry in part["across"]}
        cells = [
            f"{found[pair]['products']:,} ({found[pair]['products'] / max(1, report['splits'][pair[0]]):.1%})"
            for pair in _crossings(names)
        ]
        lines.append(
            f"| {part['title']} | {part['means']} | " + " | ".join([*cells, _precision(part)]) + " |"
        )
    lines += [
        "", "## Within splits", "",
        "Groups of duplicates; surplus is the number to drop if one product of each group is kept.", "",
        "| detector | split | groups | products | surplus | largest |", "|---|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for part in report["detectors"]:
        for split, counts in part["within"].items():
            numbers = (counts[name] for name in ("groups", "products", "surplus", "largest"))
            lines.append(
                f"| {part['title']} | {_cell(split)} | " + " | ".join(f"{n:,}" for n in numbers) + " |"
            )
    drop = report["drop"]
    lines += [
        "",
        "## To drop",
        "",
        f"{drop['products']:,} products, by {', '.join(drop['detectors']) or 'no detector'}; {_policy(drop)}.",
        "",
        f"SHA-256 of the list as CSV: `{drop['list_sha256']}`",
        "",
        "## Limits",
        "",
        "A detector finds pairs by its own measure. 0 means that it found nothing at this threshold, not that "
        "there is no leakage. The precision is the share of its pairs that people judged to be the same product, with a 95% "
        "interval; where it is not judged, there are no judgements yet.",
    ]
    remarks = [
        f"- {part['title']}: {note}"
        for part in report["detectors"]
        for note in (
            *part["notes"],
            *((f"{part['not_seen']:,} products could not be compared.",) if part["not_seen"] else ()),
            *((f"Vectors: {part['vectors']}.",) if part["vectors"] else ()),
        )
    ]
    if remarks:
        lines += ["", "## Notes", "", *remarks]
    return "\n".join(lines) + "\n"


def as_bytes(report: Report, suffix: str) -> bytes:
    """The certificate as UTF-8, in the format of a file name's suffix: JSON for `.json`, else Markdown."""
    if suffix == ".json":
        return json.dumps(report, ensure_ascii=False, indent=2).encode()
    return as_markdown(report).encode()


def _crossings(names: list[str]) -> list[tuple[str, str]]:
    """Ordered pairs of splits, later splits first: leakage is the part of test that occurs in train."""
    return [(a, b) for a in reversed(names) for b in names if a != b]


def _precision(part: Mapping[str, Any]) -> str:
    found = part["precision"]
    if not found:
        return "not judged"
    return (
        f"{found['precision']:.0%} ({found['low']:.0%} to {found['high']:.0%}, {found['judged']:.0f} judged)"
    )


def _policy(drop: Mapping[str, Any]) -> str:
    kept = "test is kept" if drop["keep"] == "test" else "train is kept"
    inside = "; one product of each group within a split is kept" if drop["within_splits"] else ""
    return f"{kept}{inside}"


def _cell(text: str) -> str:
    """Escape a name of a dataset or split for a Markdown table."""
    return "".join(
        f"\\{letter}" if letter in "\\|`*_<[" else " " if letter in "\r\n" else letter for letter in text
    )


def drop_list(products: Products, dropped: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """The products to drop with their ids and the reason: the detector and the duplicate.

    `measured` is in the unit of `threshold`, the detector's own; it is empty where only a group is known.
    """
    wanted = sorted(set(dropped["row_id"].tolist()) | set(dropped["like"].tolist()))
    chosen = pa.table({"row_id": pa.array(wanted, pa.int64())})
    ids = products.table("SELECT row_id, item_id, image_id, geo FROM cohort ORDER BY row_id")
    known = ids.take(chosen["row_id"]).to_pandas().set_index("row_id")
    table = dropped.copy()
    for name in ("item_id", "image_id", "geo"):
        table[name] = known[name].reindex(table["row_id"]).to_numpy()
    for name in ("item_id", "image_id"):
        table[f"like_{name}"] = known[name].reindex(table["like"]).to_numpy()
    table["threshold"] = [thresholds[key] for key in table["detector"]]
    table["measured"] = [
        round(detector(key).likeness(likeness), 4)
        for key, likeness in zip(table["detector"], table["likeness"], strict=True)
    ]
    columns = ("row_id", "item_id", "image_id", "split", "geo", "detector", "measured", "threshold")
    like = ("like_row_id", "like_item_id", "like_image_id", "like_split")
    return table.rename(columns={"like": "like_row_id"})[[*columns, *like]]


def as_csv(table: pd.DataFrame) -> bytes:
    """UTF-8 CSV with a header."""
    text = io.StringIO()
    table.to_csv(text, index=False)
    return text.getvalue().encode()
