"""Security headers of every response: no type sniffing, no framing by other sites, only our own scripts and files.

The content security policy names each inline script by its digest, or by a number that the page and the header share,
so that markup which gets into a page runs nothing and sends nothing away.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import streamlit

from core.settings import ASSETS

BASE = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-eval'",  # the map's drawing (regl) and the events of Gradio are compiled as they are needed
    "style-src": "'self' 'unsafe-inline'",  # both frameworks write styles as they go
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
# Files and figures: no script in them runs when one is opened.
FILE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
FILES = ("/images/", "/download/", "/map-data/", "/lit/", "/product/", "/healthz", "/media/")
GRADIO_FILE = "/gradio_api/file="
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policy(**more: str) -> str:
    """The content security policy, with more sources for some of its directives (`script_src="..."`)."""
    added = {name.replace("_", "-"): sources for name, sources in more.items()}
    return "; ".join(f"{name} {' '.join(filter(None, (own, added.get(name))))}" for name, own in BASE.items())


def digest(script: str) -> str:
    """How a policy names an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@cache
def page_policy() -> str:
    """That of Streamlit's pages: the inline script of its own page, ours, and components, which it loads as blobs."""
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = [*INLINE.findall(index), (ASSETS / "app.js").read_text(encoding="utf-8")]
    return policy(script_src=" ".join(["blob:", *map(digest, scripts)]))


class SafeHeaders:
    """The middleware that adds the headers; a policy that an answer has already stays."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                ]
                if not any(name.lower() == b"content-security-policy" for name, _ in message["headers"]):
                    of_a_file = scope["path"].startswith(FILES) or GRADIO_FILE in scope["path"]
                    value = FILE if of_a_file else page_policy()
                    message["headers"].append((b"content-security-policy", value.encode()))
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
