"""Start, watch, stop and resume training runs, each a process of its own."""

from __future__ import annotations

import streamlit as st

from core.training import jobs
from pages import access
from pages.components.shared import filter_bar, page_head
from pages.components.shared.markdown import plain
from pages.components.train import run_comparison, run_form, run_list, run_view
from pages.resources import datasets

page_head.show(
    "Train",
    "Train a classifier, or an encoder for retrieval. A run continues when this page or the server is closed.",
    needs_dataset=False,
)
filter_bar.show_in_hand()
# The page refreshes every few seconds: without this, Streamlit's status widget would flicker,
# and the live part would fade each time.
st.html(
    '<style>[data-testid="stStatusWidget"] { display: none; } '
    '[class*="st-key-run-"] [data-stale="true"] { opacity: 1 !important; }</style>'
)
names = jobs.run_names()
asked = list(dict.fromkeys(st.query_params.get_all("run")))[: run_comparison.MOST]
shown = [name for name in asked if name in names]
if not asked and names == list(jobs.shipped_runs()):  # no run yet: show the shipped one
    shown = names[:1]
for name in asked:
    if name not in names:
        st.warning(plain(f"There is no run named {name!r}. It may have been deleted."))

own = [name for name in names if name not in jobs.shipped_runs()]
if not access.may(access.COMPUTE):
    st.caption(f"Runs can be started and stopped by {access.who(access.COMPUTE)} only.")
elif not datasets.available():
    st.info("There is no dataset to train on yet. Add one on the Home page.")
    st.page_link("home.py", label="Go to Home")
elif st.button("New run", type="secondary" if own else "primary"):
    run_form.show()

if (
    asked and shown
):  # said once more: an address set just before a rerun, as Start does, may not reach the browser
    st.query_params["run"] = asked

if len(shown) == 1:
    run_view.show(shown[0])
elif shown:
    run_comparison.show(shown)
run_list.show(names, shown)
