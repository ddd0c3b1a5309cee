"""The frame of every page: menu, style, and error messages."""

from __future__ import annotations

import streamlit as st

from core.errors import VitrineError
from core.settings import ASSETS
from pages import access, identity
from pages.components.shared import save_view
from pages.components.shared.markdown import plain


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Vitrine", page_icon="🪟", layout="wide", initial_sidebar_state="auto")
    # In one element with the script: a style alone goes to the place of toasts, and a fragment's toast would replace it.
    style, script = ((ASSETS / name).read_text(encoding="utf-8") for name in ("app.css", "app.js"))
    with st.container(key="vitrine-script"):
        st.html(f"<style>{style}</style><script>{script}</script>", unsafe_allow_javascript=True)

    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.logo(str(ASSETS / f"vitrine-{theme}.svg"), size="medium")  # leads Home
    page = st.navigation(
        {
            "": [st.Page("home.py", title="Home", default=True, visibility="hidden")],
            "Explore": [
                st.Page("browse.py", title="Browse"),
                st.Page("search.py", title="Search"),
                st.Page("map.py", title="Map"),
                st.Page("dataset_statistics.py", title="Statistics", url_path="statistics"),
                st.Page("languages.py", title="Languages"),
            ],
            "Audit": [
                st.Page("duplicates.py", title="Duplicates"),
                st.Page("audit.py", title="Label audits", url_path="audit"),
                st.Page("pairs.py", title="Pairs"),
                st.Page("alignment.py", title="Alignment"),
            ],
            "Models": [
                st.Page("classify.py", title="Classify"),
                st.Page("generate.py", title="Generate"),
                st.Page("train.py", title="Train"),
                st.Page("evaluate.py", title="Evaluate"),
                st.Page("remedies.py", title="Label remedies", url_path="remedies"),
                st.Page("benchmark.py", title="Benchmark"),
            ],
            "Stage": [st.Page("presenter.py", title="Present", url_path="presenter")],
        },
        position="top",
        expanded=True,  # on a phone, where the menu is in the sidebar
    )
    try:
        if identity.asked() and not access.may(access.LOOK):  # it was signed out, or is too old
            st.info("Your sign-in has ended. [Sign in again](/sign-in)")
            st.stop()
        page.run()
        save_view.offer(page.url_path)
        if identity.asked():
            st.caption(f"Signed in as {access.role()}. [Sign out](/sign-out)")
    except VitrineError as error:
        st.error(plain(str(error)))


if __name__ == "__main__":  # not in a worker process, which multiprocessing lets import the main script
    main()
