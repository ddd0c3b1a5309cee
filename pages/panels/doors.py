"""Which of Gradio's addresses answer: those that a panel, a program or an assistant uses.

Gradio has more: it streams any web address to anybody (`file=https://...`), passes requests on (`proxy=`), writes to
buckets of a hub, saves sessions as links, edits recordings. None of it is wanted here.
"""

from __future__ import annotations

import re
from typing import Any

from anyio import to_thread
from starlette.responses import PlainTextResponse

from pages.panels import resting, uploads

OPEN = re.compile(
    r"""/[a-z]+(
        /? | /config/? | /theme\.css | /robots\.txt | /(assets|static|svelte)/.+ |
        /gradio_api/(
            info/? | openapi\.json | app_id/? | theme\.css | startup-events | user/? | login_check/? |
            heartbeat/[\w-]+ | queue/(join|data|status) | call/.+ | (run|api)/\w+/? | cancel | reset/? |
            upload | upload_progress | file=(?!/*https?:).+ | mcp/?.*
        )
    )""",
    re.VERBOSE | re.IGNORECASE,
)


class Doors:
    """The middleware that answers 404 at every other address, and makes room before an upload."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if not OPEN.fullmatch(path):
                await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
                return
            resting.note_request()
            if path.endswith("/gradio_api/upload") and scope["method"] == "POST":
                await to_thread.run_sync(uploads.sweep)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # panels have no sockets
            return
        await self.app(scope, receive, send)
