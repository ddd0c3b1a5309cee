"""A panel's HTML with a content security policy: its scripts carry a nonce, new for each response."""

from __future__ import annotations

import re
import secrets
from typing import Any

from pages.headers import digest, policy

SCRIPT = re.compile(rb"<script(?=[\s>])")
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Document:
    """The middleware around a panel's app. Markup that gets into it runs nothing.

    Args:
        app: the panel.
        head: markup that Gradio adds to the page in the browser; its scripts are named by their digest.
    """

    def __init__(self, app: Any, head: str = "") -> None:
        self.app = app
        self.sources = " ".join(map(digest, INLINE.findall(head)))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not re.fullmatch(
            r"/[a-z]+/?", scope["path"].removeprefix(scope.get("root_path", ""))
        ):
            await self.app(scope, receive, send)
            return
        number = secrets.token_urlsafe(16)
        sources = f"'nonce-{number}' {self.sources}".strip()
        start: Any = None
        body = bytearray()

        async def numbered(message: Any) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            told = [each for each in start["headers"] if each[0].lower() != b"content-length"]
            data = bytes(body)
            if any(
                name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in told
            ):
                data = SCRIPT.sub(b"<script nonce=" + number.encode(), data)
            told += [
                (b"content-length", str(len(data)).encode()),
                (b"content-security-policy", policy(script_src=sources).encode()),
            ]
            await send({**start, "headers": told})
            await send({"type": "http.response.body", "body": data})

        plain = [each for each in scope["headers"] if each[0].lower() != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, numbered)
