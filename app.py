"""The ASGI entry: Streamlit at /, panels at /panels, pictures at /images, in one process on one port."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent
if str(PROJECT) not in sys.path:  # `uvicorn app:app` and `streamlit run` from any folder
    sys.path.insert(0, str(PROJECT))

from core.settings import go_offline  # noqa: E402

go_offline()

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.routing import Mount  # noqa: E402

from pages import routes  # noqa: E402
from pages.panels import mount_panels  # noqa: E402

panels = mount_panels()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Mounting alone does not start Gradio's queue: its lifespan has to be entered."""
    async with panels.router.lifespan_context(panels):
        yield {}


app = st.App(
    PROJECT / "pages" / "main.py",
    routes=[*routes.ROUTES, Mount("/panels", app=panels)],
    lifespan=lifespan,
    middleware=[Middleware(routes.SafeHeaders)],
)
