"""Before the demo: where phones find their page, and every check, tried at this server."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from core.stage import preflight, reach
from pages.components.shared.markdown import plain
from pages.resources import moment


def phones() -> None:
    """The phones' address with its code, the wall and its desk."""
    st.header("Phones and the wall", anchor=False)
    parts = urlsplit(st.context.url or preflight.USUAL)
    found = reach.reach(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))  # fmt: skip
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if found.address:
            code = base64.b64encode(reach.code(found.address)).decode()
            st.html(f'<img src="data:image/svg+xml;base64,{code}" alt="QR code of the phones\' page" style="width:9rem;border-radius:4px;display:block">', width="content")  # fmt: skip
        with st.container(gap="small"):
            st.markdown(f"**{plain(found.address)}**" if found.address else plain(found.why))
            st.caption(f"{moment.asks.seen} phones in five minutes · {moment.line.length} waiting · {moment.line.counts['answered']} answered")  # fmt: skip
            with st.container(horizontal=True):
                st.link_button("Open the wall", "/wall")
                st.link_button("Desk of the wall", "/wall/desk")
                if st.button("Begin anew", help="Clear the wall, the line and every stage that is open."):
                    moment.begin_anew()
                    st.toast("The wall is empty; every stage is at its first view.")


def checks() -> None:
    """The checks of `vitrine doctor --stage`, at the server that shows this page."""
    st.header("Checks", anchor=False)
    parts = urlsplit(st.context.url or preflight.USUAL)
    url = f"{parts.scheme}://127.0.0.1:{parts.port}" if parts.port else preflight.USUAL
    st.caption("Every page is drawn and every panel asked, which takes half a minute. The same in a terminal: `vitrine doctor --stage`.")  # fmt: skip
    if not st.button("Try everything", type="primary"):
        return
    found, table = [], st.empty()
    with st.spinner("Trying", show_time=True):
        for check in preflight.examine(url):
            found.append(check)
            rows = [{"": "✓" if each.ok else "LOOK", "what": each.subject, "found": each.finding, "s": each.seconds} for each in found]  # fmt: skip
            table.dataframe(pd.DataFrame(rows), hide_index=True, height="content", column_config={"s": st.column_config.NumberColumn("s", format="%.1f", width="small"), "": st.column_config.TextColumn("", width="small"), "what": st.column_config.TextColumn("what", width="medium")})  # fmt: skip
    wrong = [each.subject for each in found if not each.ok]
    if wrong:
        st.warning(plain(f"Look at: {', '.join(wrong)}."))
    else:
        st.success("Ready.")
