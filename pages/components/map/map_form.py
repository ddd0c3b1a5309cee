"""Make a map from its page, or say why there is none."""

from __future__ import annotations

import streamlit as st

from core.catalog import map_files
from core.catalog.info import DatasetInfo
from core.errors import MapError
from pages import access
from pages.components.shared import background, filter_bar, preparing
from pages.components.shared.markdown import plain

PARTS = {"fitted": "Fitted products", "placed": "Products placed by their neighbours"}


def show(info: DatasetInfo, names: list[str]) -> None:
    """Say that there is no current map, with a button that makes one.

    Args:
        names: of the sets of vectors that a map can be made from; at least one.
    """
    if preparing.show(info, "map", "The map is"):
        return
    stale = _stale(info)
    for why in stale:
        st.warning(plain(why))
    if holder := map_files.in_progress(info):
        st.info(f"A map of {info.name} is being made by {plain(holder)}. Come back when it is done.")
        st.button("Refresh")
        return
    st.info(
        f"{info.name} {'needs a new map' if stale else 'has no map yet'}. A map places similar products near each other. It takes about a minute "
        "for ten thousand products, a few minutes for a million."
    )
    vectors = names[0]
    if len(names) > 1:
        vectors = st.selectbox("Vectors", names, key="map-of")
    command = map_files.command(info.name, vectors, dense=False)
    if not access.may(access.COMPUTE):
        st.caption(f"Run this on the machine that serves Vitrine: {command}")
        return
    if st.button("Make the map", type="primary"):
        background.run(["map", info.name, "--encoder", vectors])
        st.rerun()
    st.caption(f"Or run in a terminal: {command}")


def choose(info: DatasetInfo, names: list[str]) -> map_files.Map:
    """The map that the address names, or the newest; a choice where there are several. The address always names it.

    Raises:
        MapError: the address names a map that is missing or outdated.
    """
    wanted = st.query_params.get("map")
    if wanted is None:
        wanted = st.session_state.get("chosen-map")
        wanted = wanted if wanted in names else names[0]
    elif wanted not in names:
        try:
            return map_files.read_map(info, wanted)  # raises an error that says why
        except MapError as error:
            _instead(info, wanted, names, str(error))
            st.stop()
    st.query_params["map"] = wanted
    if len(names) > 1:
        st.session_state["chosen-map"] = wanted
        st.selectbox("Map", names, key="chosen-map", on_change=_change, width=200)
    return map_files.read_map(info, wanted)


def _instead(info: DatasetInfo, wanted: str, names: list[str], why: str) -> None:
    """Offer the other maps where the one of the address is missing or outdated."""
    if (map_files.folder_of(info, wanted) / "map.json").exists():
        st.error(plain(why))
    else:
        st.error(plain(f"{info.name} has no map {wanted}. Open another:"))
    with st.container(horizontal=True):
        for name in names:
            st.button(plain(f"Open the map {name}"), key=f"instead-{name}", on_click=_open, args=(name,))


def _open(name: str) -> None:
    filter_bar.clear_area()
    st.query_params["map"] = name


def _change() -> None:
    """An area is of one map: another has none."""
    filter_bar.clear_area()
    st.query_params["map"] = st.session_state["chosen-map"]


def show_regions(described: map_files.MapDescription) -> None:
    """The map as text: its quality, and its regions as a table."""
    said = [
        f"{described.present:,} of {described.rows:,} products are on the map, projected by "
        f"{described.method.upper()} from the vectors {described.vectors}."
    ]
    if described.present > described.different == 1:
        said.append("All these vectors are identical and share one point.")
    for part, quality in described.quality.items():
        if quality.trustworthiness is not None and quality.neighbour_recall is not None:
            told = PARTS.get(part, part.capitalize())
            said.append(
                f"{told}: {quality.neighbour_recall:.0%} of the {quality.neighbours} nearest neighbours by vectors are "
                f"also nearest neighbours on the map; trustworthiness {quality.trustworthiness:.3f} "
                "(1 is best: no false neighbours)."
            )
    st.caption(plain(" ".join(said)))
    if not described.regions:
        return
    with st.expander(f"The {len(described.regions)} regions as a table"):
        st.dataframe(
            {
                "Region": [region.label for region in described.regions],
                "Products": [region.size for region in described.regions],
                "Most frequent category": [region.category for region in described.regions],
                "Share": [region.share for region in described.regions],
                "Distinctive words": [", ".join(region.words) for region in described.regions],
            },
            hide_index=True,
            width="stretch",
            column_config={"Share": st.column_config.NumberColumn(format="percent")},
        )


def _stale(info: DatasetInfo) -> list[str]:
    """Why the existing maps are outdated."""
    found = []
    for path in sorted((info.folder / "maps").glob("*/map.json"))[:5]:
        try:
            map_files.read_map(info, path.parent.name)
        except MapError as error:
            found.append(str(error))
    return found
