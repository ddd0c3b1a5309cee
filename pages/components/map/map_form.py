"""Make a map from its page, and say why there is none yet."""

from __future__ import annotations

import streamlit as st

from core.catalog import map_files
from core.catalog.info import DatasetInfo
from core.errors import MapError
from pages.components.shared import background, filter_bar
from pages.components.shared.markdown import plain
from pages.resources import visitor

PARTS = {"fitted": "Products that it was made from", "placed": "Products that were added to it after"}


def show(info: DatasetInfo, names: list[str]) -> None:
    """Say that there is no map that fits, and offer to make it.

    Args:
        names: of the sets of vectors that a map can be made of; one at least.
    """
    from core.maps.projection import under_way

    stale = _stale(info)
    for why in stale:
        st.warning(plain(why))
    if holder := under_way(info):
        st.info(f"A map of {info.name} is being made by {plain(holder)}. Come back when it is done.")
        st.button("Look again")
        return
    st.info(
        f"{info.name} {'needs a new map' if stale else 'has no map yet'}. A map lays products that look alike beside each other: it takes about a minute "
        "for ten thousand products, some minutes for a million."
    )
    vectors = names[0]
    if len(names) > 1:
        vectors = st.selectbox("Vectors", names, key="map-of")
    command = map_files.command(info.name, vectors, dense=False)
    if not visitor.is_local():
        st.caption(f"It is made on the machine that serves Vitrine: {command}")
        return
    if st.button("Make the map", type="primary"):
        background.run(["map", info.name, "--encoder", vectors])
        st.rerun()
    st.caption(f"Or in a terminal: {command}")


def choose(info: DatasetInfo, names: list[str]) -> map_files.Map:
    """The map that the address names, or the newest; a choice where there are several. The address always names it.

    Raises:
        MapError: the address names one that is not there, or does not fit any more.
    """
    wanted = st.query_params.get("map")
    if wanted is None:
        wanted = st.session_state.get("chosen-map")
        wanted = wanted if wanted in names else names[0]
    elif wanted not in names:
        try:
            return map_files.read_map(info, wanted)  # says why
        except MapError as error:
            _instead(info, wanted, names, str(error))
            st.stop()
    st.query_params["map"] = wanted
    if len(names) > 1:
        st.session_state["chosen-map"] = wanted
        st.selectbox("Map", names, key="chosen-map", on_change=_change, width=200)
    return map_files.read_map(info, wanted)


def _instead(info: DatasetInfo, wanted: str, names: list[str], why: str) -> None:
    """A map that is not there: those that are, unless it is there and does not fit any more."""
    if (map_files.folder_of(info, wanted) / "map.json").exists():
        st.error(plain(why))
    else:
        st.error(plain(f"{info.name} has no map {wanted}. Open one that it has:"))
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
    """The map in words: how well it keeps what is alike together, and its regions as a table."""
    said = [
        f"{described.present:,} of {described.rows:,} products are on the map, laid out by "
        f"{described.method.upper()} from the vectors {described.vectors}."
    ]
    if described.present > described.different == 1:
        said.append("All of these vectors are equal, and lie on one point.")
    for part, quality in described.quality.items():
        if quality.trustworthiness is not None and quality.neighbour_recall is not None:
            told = PARTS.get(part, part.capitalize())
            said.append(
                f"{told}: {quality.neighbour_recall:.0%} of each one's {quality.neighbours} nearest by the vectors are "
                f"among its nearest on the map, too; its trustworthiness is {quality.trustworthiness:.3f} (1 is the "
                "best: nothing lies beside a stranger)."
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
                "Words that tell it apart": [", ".join(region.words) for region in described.regions],
            },
            hide_index=True,
            width="stretch",
            column_config={"Share": st.column_config.NumberColumn(format="percent")},
        )


def _stale(info: DatasetInfo) -> list[str]:
    """Why the maps that are there do not fit any more."""
    found = []
    for path in sorted((info.folder / "maps").glob("*/map.json"))[:5]:
        try:
            map_files.read_map(info, path.parent.name)
        except MapError as error:
            found.append(str(error))
    return found
