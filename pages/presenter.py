"""Present: tours to show, checks before the demo, the phones' address, the wall's desk, the lock of the room."""

from __future__ import annotations

import streamlit as st

from pages import access
from pages.components.shared import page_head
from pages.components.stage import before, room_lock, tour_list

page_head.show(
    "Present", "Tours for a projector, visitors' phones, a wall of what they find.", needs_dataset=False
)
tour_list.show()
if access.may(access.PRESENT):
    before.phones()
    room_lock.show()
    before.checks()
else:
    st.caption(f"Notes, checks and the lock are for {access.who(access.PRESENT)}.")
