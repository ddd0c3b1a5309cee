"""The lock of the room: for a laptop that stands alone among visitors."""

from __future__ import annotations

import streamlit as st

from core.errors import VitrineError
from core.stage import room
from pages.components.shared.markdown import plain
from pages.signin import Attempts

_attempts = Attempts()


def show() -> None:
    """Lock with a code, open with it."""
    locked = room.locked()
    st.header("The room", anchor=False)
    st.caption(
        "Locked: at this laptop, too, nobody imports, trains, judges, saves or lets photos through until the code is given."
        if locked else "Lock it before you leave the laptop alone. Visitors still look, search and ask; nobody imports, trains or judges."
    )  # fmt: skip
    with (
        st.form("room", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        code = st.text_input("Code", type="password", max_chars=room.MOST, width=220, autocomplete="off")
        pressed = st.form_submit_button("Open the room" if locked else "Lock the room")
    if not pressed:
        return
    try:
        if not locked:
            room.lock(code)
        elif not _attempts.take("room"):
            st.error("Too many attempts. Wait a minute, then try again.")
            return
        elif not room.unlock(code):
            st.error("This is not the code.")
            return
        else:
            _attempts.right("room")
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.rerun()
