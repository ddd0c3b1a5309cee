"""Duplicates: twins in several countries, and look-alikes of other classes."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.duplicates import lookalikes, twins
from core.duplicates.finding import Found
from core.duplicates.lookalikes import LookAlike
from core.schema import COUNTRY_OF_GEO
from pages.components.duplicates import duplicates_form, pair_gallery
from pages.components.duplicates.duplicates_pairs import rows_of
from pages.components.duplicates.pair_gallery import Pair
from pages.components.shared import product_grid
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import similarity
from pages.components.shared.product_grid import product_url
from pages.resources import duplicates, products
from pages.resources.urls import image_url

SIZE = 10
NEAREST = 6
PAIRS = 12


def show_twins(info: DatasetInfo, cohort: Cohort) -> None:
    """One picture in several countries, with its names and labels; those of which a product is in the cohort."""
    table = products.table(info.name)
    counts = duplicates.twin_counts(cohort)
    if not counts["pictures"]:
        whose = "this dataset" if cohort.is_whole() else "these products"
        st.info(f"No picture of {whose} occurs in more than one country.")
        return
    st.markdown(
        f"{counts['pictures']:,} pictures occur in several countries, with {counts['products']:,} products; "
        f"**{counts['conflicts']:,} of them have conflicting labels** and come first."
    )
    only = st.toggle("Only conflicting labels", key="conflicts", bind="query-params")
    total = counts["conflicts"] if only else counts["pictures"]
    pages = max(1, -(-total // SIZE))
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    room = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    found = twins.twins(table, cohort, only, (number - 1) * SIZE, SIZE)
    with room:
        st.html("".join(_twin(info, one) for one in found))


def _twin(info: DatasetInfo, one: twins.Twins) -> str:
    """All text of the dataset is escaped."""
    first = one.rows[0]
    labels = [row["category"] for row in one.rows]
    most = max(map(labels.count, labels))
    usual = {label for label in labels if labels.count(label) == most}
    usual = usual if len(usual) == 1 else set()  # a tie: no label is the majority
    lines = []
    for row in one.rows:
        country = COUNTRY_OF_GEO.get(row["geo"], row["geo"])
        language = f" <small>{html.escape(row['language'])}</small>" if row.get("language") else ""
        label = html.escape(row["category"] or "(no label)")
        if row["category"] not in usual:
            label = f"<mark>{label}</mark>"
        name = html.escape(row["name"] or "(no name)")
        address = html.escape(product_url(info, row))
        lines.append(
            f"<tr><td>{html.escape(country)}{language}</td>"
            f'<td dir="auto"><a href="{address}" target="_self">{name}</a></td>'
            f"<td>{label}</td></tr>"
        )
    source = html.escape(image_url(info, one.image_id, 240))
    return (
        f'<div class="vitrine-twin"><a href="{html.escape(product_url(info, first))}" target="_self">'
        f'<img src="{source}" alt="{html.escape(first["name"] or "product")}" loading="lazy"></a>'
        f"<table>{''.join(lines)}</table></div>"
    )


def show_look_alikes(info: DatasetInfo, found: Found | None) -> None:
    """The nearest neighbours of a product in other classes, by pixels and by vectors, side by side."""
    table = products.table(info.name)
    if not info.with_picture:
        st.info("This dataset has no pictures to compare.")
        return
    if not lookalikes.ready(table):
        duplicates_form.show(
            info,
            "Look-alikes compare pictures pixel by pixel, at 64 x 64. Each picture is read and resized once: "
            f"{duplicates_form.pictures(info)}, {duplicates_form.minutes(info)} on two processors.",
            ("--pixels",), "Resize pictures",
        )  # fmt: skip
        return
    row = st.query_params.get("row", "")
    pairs = _of_another_class(info, found)
    if not row.isdigit() or int(row) >= info.rows:
        row = str(int(found.a[pairs[0]])) if found is not None and len(pairs) else "0"
    _beside(info, int(row))
    if found is None or not len(pairs):
        return
    st.subheader("Most similar pairs of different classes", anchor=False)
    st.caption("Some are label errors; others are products that only their text distinguishes.")
    alike = duplicates.look_alikes(info)
    cards = []
    for _, first, second in rows_of(info, found, pairs):
        said = _measures(
            alike.pixel_distance(first["row_id"], second["row_id"]),
            alike.cosine(first["row_id"], second["row_id"]),
        )
        address = f"/duplicates?dataset={info.name}&view=Look-alikes&row={first['row_id']}"
        cards.append(Pair(first, second, said, True, address, "its look-alikes"))
    pair_gallery.show(info, cards)


def _of_another_class(info: DatasetInfo, found: Found | None) -> np.ndarray:
    """Positions of the nearest pairs whose categories differ."""
    if found is None:
        return np.zeros(0, np.int64)
    category = duplicates.look_alikes(info).category
    differ = np.flatnonzero(category[found.a] != category[found.b])
    return differ[:PAIRS]


def _beside(info: DatasetInfo, row: int) -> None:
    table = products.table(info.name)
    asked = table.by_row([row])[0]
    st.markdown(
        f"Nearest neighbours of **{plain(asked['name'] or 'this product')}** ({plain(asked['category'] or 'no label')}) in other classes"
    )
    if st.button("Another product"):
        st.query_params["row"] = str(int(np.random.default_rng().integers(info.rows)))
        st.rerun()
    picture, pixels, vectors = st.columns([1, 3, 3], gap="medium")
    with picture:
        st.caption("The product")
        product_grid.show(info, [asked], key="asked")
    with pixels:
        st.caption("By pixels: root mean square difference at 64 x 64, 0 to 255")
        _nearest(info, duplicates.nearest_of_another_class(info, row, "pixels", NEAREST), "pixels")
    with vectors:
        st.caption("By vectors: cosine similarity, 1 is identical")
        _nearest(info, duplicates.nearest_of_another_class(info, row, "vectors", NEAREST), "vectors")


def _nearest(info: DatasetInfo, found: list[LookAlike], key: str) -> None:
    if not found:
        st.info(
            "No vectors yet. Make them on the Search page."
            if key == "vectors"
            else "No product of another class."
        )
        return
    rows = products.table(info.name).by_row([one.row for one in found])
    facts = [_measures(one.pixels, one.cosine) for one in found]
    picked = product_grid.show(info, rows, key=f"nearest-{key}", facts=facts)
    if picked is not None:  # it becomes the next query
        st.query_params["row"] = str(picked)
        st.rerun()


def _measures(pixels: float | None, cosine: float | None) -> str:
    parts = [] if pixels is None else [f"pixels {pixels:.0f}"]
    return " · ".join(parts + ([] if cosine is None else [f"cosine {similarity(cosine)}"]))
