"""The ASGI entry: Streamlit at /, panels at /panels, pictures at /images, in one process on one port."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent
if str(PROJECT) not in sys.path:  # `uvicorn app:app` and `streamlit run` from any folder
    sys.path.insert(0, str(PROJECT))

from core.settings import go_offline, keep_uploads_in_home  # noqa: E402

go_offline()
keep_uploads_in_home()

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.routing import Mount  # noqa: E402

# Pages are imported before Streamlit's runtime exists. Their caches ask for its storage again when they are first used.
logging.getLogger("streamlit.runtime.caching.cache_data_api").addFilter(
    lambda record: "No runtime found" not in record.getMessage()
)

from pages import bodies, connections, guard, headers, routes, signin, sockets, startup  # noqa: E402
from pages.panels import mount_panels, uploads  # noqa: E402

connections.bound_heads()
panels = mount_panels()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Mounting alone does not start Gradio's queue: its lifespan has to be entered."""
    sockets.allow_files()
    sweeping = asyncio.create_task(uploads.sweep_now_and_then())
    try:
        async with panels.router.lifespan_context(panels):
            startup.begin()
            yield {}
    finally:
        sweeping.cancel()


def say_sorry(error: Exception) -> bool:
    """What a visitor sees of a bug: one line. The log has the rest."""
    logging.getLogger("vitrine").error("a page broke", exc_info=error)
    st.error("Something broke on this page; the server's log says what. Reload to go on: nothing is lost.")
    return True


app = st.App(
    PROJECT / "pages" / "main.py",
    routes=[*routes.ROUTES, *signin.ROUTES, Mount("/panels", app=panels)],
    lifespan=lifespan,
    on_script_error=say_sorry,
    middleware=[
        Middleware(headers.SafeHeaders),
        Middleware(guard.Guard),
        Middleware(bodies.BoundedBodies),
        Middleware(signin.SignIn),
        Middleware(sockets.BoundedSockets),
    ],
)
