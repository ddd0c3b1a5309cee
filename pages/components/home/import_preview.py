"""What an import would read, before it is begun: the first products, which column is what, and what may be changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import VitrineError
from core.sources.naming import MAPPABLE
from pages.components.shared import background
from pages.components.shared.markdown import plain

NONE = "–"
ENCODINGS = (
    "utf-8",
    "cp1250",
    "cp1252",
    "cp1251",
    "cp1253",
    "cp1254",
    "gb18030",
    "big5",
    "shift_jis",
    "utf-16",
)
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
LABELS = {
    "item_id": "Product id", "image_id": "Picture id", "split": "Split", "geo": "Country", "language": "Language",
    "name": "Product name", "description": "Description", "category": "Category", "category_id": "Category id",
    "label_source": "Label source", "label_kind": "Label kind", "image": "Picture",
}  # fmt: skip
KEPT = 12  # previews of one visitor


def show(layout: str, path: str, options: Sequence[str], read: bool) -> list[str]:
    """The preview of what is at a path.

    Args:
        options: of the import, which others choose.
        read: look at the files, where that was not done yet; else only what is known is shown.

    Returns:
        What is chosen here, as options of the import.
    """
    key = hashlib.sha256(f"{layout}\0{path}".encode()).hexdigest()[:12]
    facts = st.container()
    form = _form(key)
    with facts:
        found = plainly = _preview(layout, path, [*options], read)
        if form:
            plainly = _preview(layout, path, [*options, *form], read)
    if layout != "glami":
        _form_fields(key, layout, found)
    if plainly is None:
        return form
    chosen = [*form, *_mapping(key, plainly)]
    with facts:
        report = _preview(layout, path, [*options, *chosen], read)
        if report is not None:
            _facts(report)
    _map_fields(key, plainly)
    if report is not None:
        _products(report)
    return chosen


def _preview(layout: str, path: str, options: list[str], read: bool) -> dict[str, Any] | None:
    """What the command says, looked at once; None where it cannot be read, which is said."""
    kept: dict[tuple[str, ...], dict[str, Any] | str] = st.session_state.setdefault("import-previews", {})
    asked = (layout, path, *options)
    if asked not in kept:
        if not read:
            return None
        try:
            answer = background.run(["import", "--dry-run", "--thumbnails", *options, "--", layout, path])
        except VitrineError as error:
            answer = str(error)
        while len(kept) >= KEPT:
            kept.pop(next(iter(kept)))
        kept[asked] = answer
    found = kept[asked]
    if isinstance(found, str):
        if read:
            st.error(plain(found.removeprefix("error: ")))
            kept.pop(asked)  # the files may be mended meanwhile
        return None
    return found


def _form(key: str) -> list[str]:
    """The encoding and delimiter that were chosen, as options."""
    chosen = []
    if encoding := st.session_state.get(f"import-encoding-{key}"):
        chosen += ["--encoding", str(encoding)]
    if delimiter := st.session_state.get(f"import-delimiter-{key}"):
        chosen += ["--delimiter", str(delimiter)]
    return chosen


def _mapping(key: str, plainly: dict[str, Any]) -> list[str]:
    """Which column is what, as options; none while all is as it was found."""
    found = plainly["columns"]
    said = {
        ours: st.session_state.get(f"import-map-{key}-{ours}", found.get(ours, NONE)) for ours in MAPPABLE
    }
    known = {NONE, *plainly["names"]}
    said = {ours: theirs if theirs in known else NONE for ours, theirs in said.items()}
    if not plainly["names"] or all(theirs == found.get(ours, NONE) for ours, theirs in said.items()):
        return []
    return [
        part
        for ours, theirs in said.items()
        for part in ("--map", f"{ours}={'' if theirs == NONE else theirs}")
    ]


def _facts(report: dict[str, Any]) -> None:
    st.markdown("**What would be read**")
    facts = [f"{'All' if report['whole'] else 'The first'} {report['rows']:,} rows were looked at"]
    rest = [name for name in report["names"] if name not in report["columns"].values()]
    if rest:
        facts.append(f"kept beside the product: {', '.join(rest)}")
    st.caption(plain("; ".join(facts) + "."))
    notes = [
        f"{count:,} of these rows would be rejected: {reason}."
        for reason, count in report["rejected"].items()
    ]
    notes += [
        warning.partition(" To use it: --map")[0].replace(" (--encoding)", "")
        for warning in report["warnings"]
    ]
    if notes:
        st.warning("\n".join(f"- {plain(note)}" for note in notes) if len(notes) > 1 else plain(notes[0]))


def _form_fields(key: str, layout: str, found: dict[str, Any] | None) -> None:
    """Encoding and delimiter, as found, to be said otherwise; also of a file that could not be read without."""
    encoding = found["encoding"].removesuffix("-sig") if found else "?"
    delimiter = found["delimiter"] if found else "?" if layout == "table" else ""
    if not encoding:
        return
    left, right = st.columns(2)
    left.selectbox(
        "Encoding",
        ENCODINGS,
        index=None,
        placeholder=f"found: {encoding}",
        accept_new_options=True,
        key=f"import-encoding-{key}",
    )
    if delimiter:
        right.selectbox(
            "Delimiter",
            list(DELIMITERS),
            index=None,
            placeholder=f"found: {DELIMITERS.get(delimiter, delimiter)}",
            format_func=lambda mark: DELIMITERS.get(mark, mark),
            key=f"import-delimiter-{key}",
        )


def _map_fields(key: str, plainly: dict[str, Any]) -> None:
    """One choice of column for each of ours."""
    if not plainly["names"]:
        return
    st.caption("Which column is what:")
    names = [NONE, *plainly["names"]]
    with st.container(horizontal=True, key="import-map"):
        for ours in MAPPABLE:
            st.selectbox(
                LABELS[ours],
                names,
                index=names.index(plainly["columns"].get(ours, NONE)),
                key=f"import-map-{key}-{ours}",
                width=150,
            )


def _products(report: dict[str, Any]) -> None:
    shown = [
        column
        for column in ("item_id", "name", "category_path", "description", "split", "geo", "language", "image")
        if any(product[column] for product in report["products"])
    ]
    rows = []
    for product, thumbnail in zip(report["products"], report["thumbnails"], strict=True):
        row = {"picture": thumbnail or None} | {column: product[column] for column in shown}
        if "category_path" in row:
            row["category_path"] = " > ".join(product["category_path"] or ())
        rows.append(row)
    frame = pd.DataFrame(rows)
    pictures = any(report["thumbnails"])
    st.dataframe(
        frame if pictures else frame.drop(columns="picture"),
        hide_index=True,
        row_height=64 if pictures else None,
        height=360,
        column_config={"picture": st.column_config.ImageColumn("Picture", width=80)}
        | {
            column: st.column_config.TextColumn("Category" if column == "category_path" else LABELS[column])
            for column in shown
        },
    )
