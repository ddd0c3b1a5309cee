"""The app as it is served, and the doors that it has: python tests/every_door.py prints them as JSON, then serves.

The doors are read from the app itself (routes, panels' events), in a process of its own: importing the app makes
Streamlit's runtime, of which a process has one.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def walk(routes: Any, before: str = "") -> Iterator[tuple[str, str, list[str]]]:
    """(kind, path, methods) of every route, whatever is mounted or included where."""
    for route in routes:
        if hasattr(route, "original_router"):  # what FastAPI makes of include_router
            yield from walk(route.original_router.routes, before + route.include_context.prefix)
            continue
        path = before + route.path
        inner = getattr(route, "routes", None) or getattr(getattr(route, "app", None), "routes", None)
        if type(route).__name__ == "Mount":
            yield "mount", path, []
            yield from walk(inner or [], path)
        elif "WebSocket" in type(route).__name__:
            yield "socket", path, []
        else:
            yield "http", path, sorted(route.methods or ["GET", "POST", "PUT", "PATCH", "DELETE"])


def events(panels: Any) -> Iterator[tuple[str, int, str, list[str]]]:
    """(panel, number, name, kinds of its inputs) of every event."""
    for mount in panels.routes:
        for number, function in mount.app.get_blocks().fns.items():
            name = str(function.api_name)
            yield mount.path.strip("/"), number, name, [each.get_block_name() for each in function.inputs]


def main() -> None:
    sys.path.insert(0, str(PROJECT))
    import uvicorn

    import app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        doors = {
            "port": free.getsockname()[1],
            "routes": sorted(set(map(json.dumps, walk(app.app._build_starlette_app().routes)))),
            "events": sorted(events(app.panels)),
        }
        print(json.dumps(doors), flush=True)
        free.listen(128)
        uvicorn.Server(uvicorn.Config(app.app, log_level="warning")).run(sockets=[free])


if __name__ == "__main__":
    main()
