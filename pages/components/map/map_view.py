"""The map of a dataset: points drawn by WebGL in the browser (assets/map), a selection on it becomes a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort, area_text
from core.catalog.info import DatasetInfo
from core.catalog.map_files import Map
from core.statistics.colouring import DARK_RAMP, LIGHT_RAMP, Colouring, ramp
from pages import map_routes
from pages.components.shared import filter_bar, product_dialog
from pages.resources import maps, products
from pages.resources.urls import cohort_url

# The script is 250 kB: the browser fetches it once, instead of with every run of the page.
_LOADER = """
let script
export default async function (component) {
  script ??= import(new URL(component.data.script, document.baseURI).href)
  try {
    return (await script).default(component)
  } catch (error) {
    script = undefined
    component.setTriggerValue("webgl", "unloaded")
  }
}
"""
WITHOUT = "why the map is drawn without WebGL"
_MAP = st.components.v2.component("vitrine_map", js=_LOADER)


def show(
    info: DatasetInfo,
    drawn: Map,
    cohort: Cohort,
    colour: Colouring,
    layer: str,
    hits: Sequence[int] = (),
) -> None:
    """Draw the map. The visitor's actions change the address and the filters before the page's next run.

    Args:
        cohort: its products are highlighted, all others dimmed; its area is the lasso.
        layer: "points" or "density".
        hits: row_ids that a search found.
    """
    key = f"map-{info.name}-{drawn.name}"

    def told(name: str) -> Any:
        return st.session_state[key][name]

    _MAP(
        key=key,
        data=_data(
            info, drawn, cohort, colour, layer, hits, _address_number("dot"), _address_number("opacity")
        ),
        on_area_change=lambda: take_area(told("area")),
        on_picked_change=lambda: open_product(info, told("picked")),
        on_filter_change=lambda: _filter(told("filter")),
        on_look_change=lambda: _look(told("look")),
        on_webgl_change=lambda: st.session_state.update({WITHOUT: str(told("webgl"))[:200]}),
    )


def take_area(corners: Any) -> None:
    """Put an area into the address; `Cohort` validates it."""
    if corners:
        st.query_params["area"] = area_text(tuple((float(x), float(y)) for x, y in corners))
    else:
        filter_bar.clear_area()


def open_product(info: DatasetInfo, row: Any) -> None:
    if found := products.table(info.name).by_row([int(row)]):
        product_dialog.select(found[0])


def _filter(told: Any) -> None:
    filter_bar.choose(str(told["column"]), [str(value) for value in told["values"]])


def _look(told: Any) -> None:
    st.query_params["dot"] = f"{float(told['dot']):.1f}"
    st.query_params["opacity"] = f"{float(told['opacity']):.2f}"


def _address_number(key: str) -> float | None:
    try:
        return float(st.query_params[key])
    except (KeyError, ValueError):
        return None


def _data(
    info: DatasetInfo,
    drawn: Map,
    cohort: Cohort,
    colour: Colouring,
    layer: str,
    hits: Sequence[int],
    dot: float | None,
    opacity: float | None,
) -> dict[str, Any]:
    described = drawn.description
    regions = [
        {"label": label, "x": x, "y": y, "size": size} for label, x, y, size in maps.labels(info, drawn.name)
    ]
    named = ", ".join(str(region["label"]) for region in regions[:8])
    return {
        "script": map_routes.script_url(),
        "points": {"url": map_routes.points_url(info, drawn.name), "rows": info.rows},
        "product": map_routes.product_url(info),
        "lit": map_routes.lit_url(info, cohort),
        "area": [list(corner) for corner in cohort.area] or None,
        "colour": legend(info, drawn, cohort, colour),
        "regions": regions,
        "hits": [int(row) for row in hits],
        "chosen": counted(info, cohort),
        "layer": layer,
        "dot": dot,
        "opacity": opacity,
        "ramp": {"light": ramp(("#FCFBF9", *LIGHT_RAMP), 16), "dark": ramp(("#161513", *DARK_RAMP), 16)},
        "summary": (
            f"Map of {described.present:,} products of {info.name} with {len(regions)} labels: {named}. "
            "Arrow keys move, plus and minus zoom, 0 shows all, Enter opens the product at the centre, "
            "Space selects the products in view, Escape clears. A table below the map has the same content."
        ),
    }


def legend(info: DatasetInfo, drawn: Map, cohort: Cohort, colour: Colouring) -> dict[str, Any]:
    column = "category" if colour.column == "group" else colour.column
    without = {"picture": None}.get(column, ())
    rest = cohort.with_(**{column: without}) if hasattr(cohort, column) else cohort
    there = maps.shown(info, drawn.name)
    counts = colour.counts(products.table(info.name).mask(rest) & there)
    chosen = set(cohort.to_query().get(column, []))
    numeric = not colour.entries
    return {
        "url": map_routes.colours_url(info, drawn.name, colour.column),
        "title": colour.title,
        "column": column,
        "kind": "number" if numeric else "category",
        "entries": [
            {
                "label": entry.label,
                "colour": entry.colour,
                "dark": entry.dark,
                "count": count,
                "value": entry.value,
                "can": entry.value is not None,
                "on": entry.value in chosen,
            }
            for entry, count in zip(colour.entries, counts, strict=True)
        ],
        "steps": {"light": ramp(LIGHT_RAMP), "dark": ramp(DARK_RAMP)} if numeric else None,
        "low": colour.low,
        "high": colour.high,
        "note": "",
    }


def counted(info: DatasetInfo, cohort: Cohort) -> dict[str, Any] | None:
    """How many products the lasso holds, with links to them."""
    if not cohort.area:
        return None
    return {
        "count": products.count(cohort),
        "of": products.count(cohort.with_(map="", area=())),
        "browse": cohort_url("/browse", cohort),
        "statistics": cohort_url("/statistics", cohort),
    }
