"""Pairs: figures of a set, its pairs side by side, its clusters, its most used partners."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.catalog.cohort import brief_paths
from core.catalog.info import DatasetInfo
from core.pairs import figures, judging
from core.pairs.table import PairTable, command
from pages.components.pairs import pair_cards
from pages.components.shared import product_grid
from pages.components.shared.markdown import plain
from pages.resources import pairs, products

SIZE = 12
MOST_PAGES = 400
SHOWN = 24  # partners
ORDERS = ("Random", "Most similar pictures", "Least similar pictures", "Most similar texts")
CHART = {"displayModeBar": False}
NAMED = 3  # categories of a cluster


def overview(info: DatasetInfo, table: PairTable) -> None:
    """The counts, and three histograms."""
    counts = table.described.counts
    rate = judging.rate(table, judging.judgements(info, table.described))
    shares = (
        ("Pairs", f"{counts.pairs:,}", f"of {counts.anchors:,} products with picture and text"),
        ("Distinct partners", f"{counts.partners:,}", f"{counts.partners / max(1, counts.pairs):.1%} of the pairs"),
        ("Most used partner", f"{counts.most_used:,} times", f"{counts.most_used / max(1, counts.pairs):.1%} of the pairs"),
        ("In fact matches", "not judged" if rate.rate is None else f"{rate.rate:.0%}",
         "see Judge" if rate.rate is None else f"{rate.low:.0%} to {rate.high:.0%}, {rate.judged} judged"),
    )  # fmt: skip
    with st.container(horizontal=True):
        for label, value, beside in shares:
            st.metric(label, value, beside, delta_color="off", delta_arrow="off")
    for note in notes(table):
        st.caption(plain(note))
    dark = st.context.theme.type == "dark"
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Similarity of the two products", anchor=False)
        st.plotly_chart(figures.similarities(table, dark), theme=None, key="similarities", config=CHART)
        st.caption(
            "How similar a picture is to its partner's, and the texts of the two: the lower, the surer that the text is wrong."
        )
    with right:
        st.subheader("Reuse of partners", anchor=False)
        st.plotly_chart(
            figures.reuse(pairs.partners(info, table.described)[1], dark),
            theme=None,
            key="reuse",
            config=CHART,
        )
        st.caption(
            "The least similar product is often the same one for many anchors: a hub, whose text is seen in training as often."
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Weights", anchor=False)
        st.plotly_chart(figures.weighted(table, dark), theme=None, key="weights", config=CHART)
        st.caption(
            "The correct pair counts more, and the incorrect one less, the more similar the two pictures are."
        )
    with right:
        st.subheader("How they were made", anchor=False)
        _facts(info, table)


def _facts(info: DatasetInfo, table: PairTable) -> None:
    described = table.described
    settings = described.settings
    facts = {
        "Partner": {
            "clusters": "least similar of another cluster",
            "random": "any other product",
            "below": f"any of a similarity of {settings.threshold} at most",
        }[settings.method],
        "Vectors of the pictures": settings.image_vectors,
        "Vectors of the texts": settings.text_vectors,
        "Products": settings.split or "all",
        "Clusters": f"{len(described.image_sizes)} of pictures, {len(described.text_sizes)} of texts"
        if described.image_sizes
        else "none",
        "Seed": str(settings.seed),
        "Generated": f"{described.created[:16].replace('T', ' ')}, in {sum(described.seconds.values()):.0f} s",
        "Command": command(info, settings),
    }
    lines = (f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in facts.items())
    st.html(f'<dl class="vitrine-facts">{"".join(lines)}</dl>')


def notes(table: PairTable) -> list[str]:
    """Sentences on the anchors that differ from the rest; none where there are none."""
    counts = table.described.counts
    said = (
        (counts.left_out, "products of the split have no vector of picture or text and are left out"),
        (counts.dropped, "products have no candidate in any cluster and get no partner"),
        (counts.redrawn, "products needed another cluster, since the first drawn had no candidate"),
        (counts.fallback, "products have nothing below the threshold and got the least similar product"),
        (counts.same_picture, "pairs have the same picture twice, so that the text is right"),
        (counts.same_text, "pairs have the same text twice, so that it is right"),
    )  # fmt: skip
    return [f"{count:,} {what}." for count, what in said if count]


def gallery(info: DatasetInfo, table: PairTable) -> None:
    """The pairs as cards, in an order."""
    order = st.segmented_control(
        "Order", ORDERS, default=ORDERS[0], key="order", bind="query-params", required=True
    )
    places = _ordered(info, table, order or ORDERS[0])
    pages = min(MOST_PAGES, -(-len(places) // SIZE))
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    room = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    with room:
        pair_cards.show(info, table, places[(number - 1) * SIZE : number * SIZE])


def _ordered(info: DatasetInfo, table: PairTable, order: str) -> np.ndarray:
    """Positions of the pairs, as many as can be paged through."""
    if order == "Random":
        return pairs.order(info, table.described)[: MOST_PAGES * SIZE]
    places = np.flatnonzero(table.paired)
    key = (table.text_similarity if order == "Most similar texts" else table.similarity)[places]
    key = key if order == "Least similar pictures" else -key
    few = min(len(places), MOST_PAGES * SIZE)
    first = np.argpartition(key, few - 1)[:few]
    return places[first[np.lexsort((first, key[first]))]]


def clusters(info: DatasetInfo, table: PairTable) -> None:
    """The clusters of pictures or of texts with their typical products, and which clusters exchange texts."""
    described = table.described
    if not described.image_sizes:
        st.info("These pairs were made without clusters. Choose a set with clusters, or generate one.")
        return
    of = st.segmented_control(
        "Clusters of", ("Pictures", "Texts"), default="Pictures", key="of", bind="query-params", required=True
    )
    picture = of != "Texts"
    sizes = described.image_sizes if picture else described.text_sizes
    rows = described.image_typical if picture else described.text_typical
    labels = table.image_cluster if picture else table.text_cluster
    kind = "Picture" if picture else "Text"
    found = {row["row_id"]: row for row in _rows(info, [row for some in rows for row in some])}
    parts = []
    for number, (size, some) in enumerate(zip(sizes, rows, strict=False)):
        about = f"{size:,} products · {_categories(info, table, labels == number)}"
        typical = [found[row] for row in some if row in found]
        parts.append(
            pair_cards.cluster(info, f"{kind} cluster {number + 1}", about, typical, names=not picture)
        )
    st.html("".join(parts))
    st.caption("The products nearest to the centre of each cluster, each picture or text once.")
    if picture:
        st.subheader("Similarity between clusters", anchor=False)
        dark = st.context.theme.type == "dark"
        st.plotly_chart(figures.exchanges(table, dark), theme=None, key="exchanges", config=CHART)
        st.caption(
            "The mean similarity of the two pictures of a pair, by their clusters. The diagonal is empty: a partner is of another cluster."
        )


def _categories(info: DatasetInfo, table: PairTable, inside: np.ndarray) -> str:
    """The most frequent categories of some of the anchors, with their shares."""
    column = products.table(info.name).columns.category
    counts = np.bincount(column.codes[table.row_id[inside]], minlength=len(column.values))
    first = np.argsort(-counts, kind="stable")[:NAMED]
    first = first[counts[first] > 0]
    names = brief_paths([column.values[code] or () for code in first])
    shares = counts[first] / max(1, counts.sum())
    return ", ".join(f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True))


def partners(info: DatasetInfo, table: PairTable) -> None:
    """The most used partners."""
    found, times = pairs.partners(info, table.described)
    counts = table.described.counts
    half = int(np.searchsorted(np.cumsum(times), counts.pairs / 2)) + 1
    st.markdown(
        f"{counts.partners:,} products give their text to {counts.pairs:,} pictures; "
        f"**the {half:,} most used give half of all incorrect texts**."
        if half > 1
        else f"{counts.partners:,} products give their text to {counts.pairs:,} pictures; **one gives half of them**."
    )
    facts = [f"{count:,} times, {count / counts.pairs:.1%} of the pairs" for count in times[:SHOWN]]
    picked = product_grid.show(info, _rows(info, found[:SHOWN].tolist()), key="partners", facts=facts)
    if picked is not None:
        st.session_state["anchors-of"] = picked
    row = st.session_state.get("anchors-of")
    places = np.flatnonzero(table.partner == row)[:SIZE] if row is not None else ()
    if len(places):
        st.subheader("Pictures that get this text", anchor=False)
        pair_cards.show(info, table, places)
    else:
        st.caption("Click a product to see the pictures that get its text.")


def _rows(info: DatasetInfo, rows: Sequence[int]) -> list[dict]:
    return products.table(info.name).by_row([row for row in rows if 0 <= row < info.rows])
