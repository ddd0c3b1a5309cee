"""Every door of the app, as the app itself names them, and the same hostile inputs at each.

ROUTES says what a stranger may fill in at a route: path parameters always, and these parameters of the address or fields
of a body. A route, socket, event or MCP tool that the app has and a table here lacks fails the test: think about what it
reads, then give it a row here and one in `pages/access.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import websockets
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from streamlit.proto.BackMsg_pb2 import BackMsg

from core import passphrases
from core.catalog.build import import_dataset
from pages import access
from tests.served import TAKES_FILES
from tests.toy import picture

PROJECT = Path(__file__).resolve().parents[2]
ANSWER_S = 30.0
AT_ONCE = 8
FILTER = ("geo", "split", "category", "text", "label_kind", "picture", "map", "area", "like", "row_id", "v")
FILE = {"meta": {"_type": "gradio.FileData"}}
DATA = ("data", "fn_index", "session_hash", "event_id", "component_id", "fn_name", "prompt", "code")

# Panels' routes are Gradio's and stand once for all panels, as /panels/*/...
ROUTES: dict[str, tuple[str, ...]] = {
    "/healthz": (),
    "/images/{dataset}/{image_id:path}": ("w", "v"),
    "/download/{dataset}.{kind}": (*FILTER, "cells"),
    "/leaderboard/{dataset}.{kind}": ("split", "labels"),
    "/submissions/{dataset}": ("name", "split", "labels", "paper", "note"),
    "/map-data/{dataset}/{map}/points": ("v",),
    "/map-data/{dataset}/{map}/colours/{column}": ("v",),
    "/lit/{dataset}": FILTER,
    "/product/{dataset}/{row:int}": (),
    "/map-view": (),
    "/review/{plan}": ("who",),
    "/review/{plan}/who": ("who",),
    "/review/{plan}/join": ("who",),
    "/review/{plan}/session": ("who",),
    "/review/{plan}/items": ("who", "ids"),
    "/review/{plan}/answers": ("who", "events"),
    "/review/{plan}/end": ("who",),
    "/review-page": (),
    "/stage/{dataset}/{tour}": (),
    "/stage/{dataset}/{tour}/notes": (),
    "/stage/{dataset}/{tour}/told": (),
    "/stage-now": (),
    "/stage-code.svg": (),
    "/stage-page": (),
    "/phone": (),
    "/phone/words": (),
    "/phone/ask": ("word",),
    "/phone/now": ("lang",),
    "/phone/show": ("yes",),
    "/phone/leave": (),
    "/wall": (),
    "/wall/desk": (),
    "/wall/now": ("desk",),
    "/wall/photo/{number:int}": ("desk",),
    "/wall/do": ("do", "number"),
    "/fonts": (),
    "/sign-in": ("next", "passphrase"),
    "/sign-out": (),
    "": (),  # Streamlit's pages and scripts
    "/_stcore/agent/interact": DATA,
    "/_stcore/agent/mcp": DATA,
    "/_stcore/agent/openapi.json": (),
    "/_stcore/bidi-components/{path:path}": (),
    "/_stcore/health": (),
    "/_stcore/host-config": (),
    "/_stcore/metrics": ("families",),
    "/_stcore/upload_file/{session_id}/{file_id}": ("file",),
    "/auth/login": ("provider",),
    "/auth/logout": (),
    "/oauth2callback": ("state", "code", "error"),
    "/component/{path:path}": (),
    "/media/{file_id:path}": (),
    "/panels": (),
    "/panels/*": (),
    "/panels/*/": ("__theme", "view", "deep_link"),
    "/panels/*/assets/{path:path}": (),
    "/panels/*/config": ("deep_link",),
    "/panels/*/favicon.ico": (),
    "/panels/*/gradio_api/api/{api_name}": DATA,
    "/panels/*/gradio_api/app_id": (),
    "/panels/*/gradio_api/call/v2/{api_name}": DATA,
    "/panels/*/gradio_api/call/v2/{api_name}/{event_id}": (),
    "/panels/*/gradio_api/call/{api_name}": DATA,
    "/panels/*/gradio_api/call/{api_name}/{event_id}": (),
    "/panels/*/gradio_api/cancel": DATA,
    "/panels/*/gradio_api/component_server": DATA,
    "/panels/*/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}": (),
    "/panels/*/gradio_api/deep_link": ("session_hash",),
    "/panels/*/gradio_api/dev/reload": (),
    "/panels/*/gradio_api/file/{path:path}": (),
    "/panels/*/gradio_api/file={path_or_url:path}": (),
    "/panels/*/gradio_api/heartbeat/{session_hash}": (),
    "/panels/*/gradio_api/info": ("all_endpoints",),
    "/panels/*/gradio_api/login_check": (),
    "/panels/*/gradio_api/mcp": DATA,
    "/panels/*/gradio_api/mcp/messages": ("session_id",),
    "/panels/*/gradio_api/mcp/schema": ("tools",),
    "/panels/*/gradio_api/mcp/sse": (),
    "/panels/*/gradio_api/openapi.json": (),
    "/panels/*/gradio_api/process_recording": ("video",),
    "/panels/*/gradio_api/proxy={url_path:path}": (),
    "/panels/*/gradio_api/queue/data": ("session_hash",),
    "/panels/*/gradio_api/queue/join": DATA,
    "/panels/*/gradio_api/queue/status": (),
    "/panels/*/gradio_api/reset": DATA,
    "/panels/*/gradio_api/run-history/buckets": (),
    "/panels/*/gradio_api/run-history/connect": DATA,
    "/panels/*/gradio_api/run-history/records": ("endpoint", "cursor", "limit"),
    "/panels/*/gradio_api/run-history/records/{endpoint}/{record_id}/assets/{asset_id}": (),
    "/panels/*/gradio_api/run/{api_name}": DATA,
    "/panels/*/gradio_api/runs": ("endpoint",),
    "/panels/*/gradio_api/startup-events": (),
    "/panels/*/gradio_api/stream/{event_id}": DATA,
    "/panels/*/gradio_api/stream/{event_id}/close": (),
    "/panels/*/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file": (),
    "/panels/*/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8": (),
    "/panels/*/gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}": (),
    "/panels/*/gradio_api/theme.css": (),
    "/panels/*/gradio_api/token": (),
    "/panels/*/gradio_api/undo-vibe-edit": DATA,
    "/panels/*/gradio_api/upload": ("upload_id", "files"),
    "/panels/*/gradio_api/upload_progress": ("upload_id",),
    "/panels/*/gradio_api/user": (),
    "/panels/*/gradio_api/vibe-code": DATA,
    "/panels/*/gradio_api/vibe-edit": DATA,
    "/panels/*/gradio_api/vibe-starter-queries": DATA,
    "/panels/*/login": ("username", "password"),
    "/panels/*/logout": ("all_session",),
    "/panels/*/manifest.json": (),
    "/panels/*/monitoring": (),
    "/panels/*/monitoring/summary": (),
    "/panels/*/monitoring/{key}": (),
    "/panels/*/openapi.json": (),
    "/panels/*/pwa_icon": (),
    "/panels/*/pwa_icon/{size}": (),
    "/panels/*/robots.txt": (),
    "/panels/*/static/{path:path}": (),
    "/panels/*/svelte/{path:path}": (),
    "/panels/*/theme.css": (),
}
SOCKETS = {"/_stcore/stream"}
EVENTS = {  # by the function; the tables of inputs are the panel's own
    "classification": {"classify", "on_example", "on_answer", "on_explain", "on_models", "on_open", "on_begin", "on_own", "_stopped",
                       "lambda", "js_fn", "unnamed"},
    "retrieval": {"load_example", "search", "search_products", "lambda", "on_gallery", "on_example", "on_open", "on_begin",
                  "compare", "compare_models", "compare_if_asked", "on_others"},
    "generation": {"on_open", "on_draw", "on_languages", "on_compare", "_cancelled", "load_example", "unnamed"},
}  # fmt: skip
TOOLS = {"classification": {"on_classify"}, "retrieval": {"search_products", "compare_models"}}


@dataclass(frozen=True)
class Served:
    url: str
    home: Path
    secret: Path
    log: Path
    routes: list[tuple[str, str, list[str]]]
    events: list[tuple[str, int, str, list[str]]]

    def hostile(self) -> list[str]:
        """What is written into every parameter."""
        return [
            str(self.secret), "../" * 12 + str(self.secret).lstrip("/"), f"file://{self.secret}", "/etc/passwd",
            "\\\\host\\share", "x" * 30_000, ">" * 4_000, "-1", "1e999", "'; DROP TABLE products; --", "\0", "%zz%0a\r\nset-cookie: a=b",
            "http://127.0.0.1:9/x",
        ]  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole app in a process of its own, over a small dataset, and a file that nobody may read."""
    folder = tmp_path_factory.mktemp("doors")
    home, secret, log = folder / "home", folder / "secret.png", folder / "server.log"
    secret.write_bytes(picture("hats") + b"planted-secret")
    (folder / "shop.csv").write_text("title,kind\nBoots,Shoes > Boots\nHat,Hats\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(home))
        import_dataset("table", [str(folder / "shop.csv")], "shop")
    environment = {
        **os.environ,
        "VITRINE_HOME": str(home),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "VITRINE_WARM": "0",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "tests/every_door.py"], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=out
        )  # fmt: skip
    try:
        assert process.stdout is not None
        doors = json.loads(process.stdout.readline() or "{}")
        assert doors, f"the server did not start: {log.read_text()[-2000:]}"
        url = f"http://127.0.0.1:{doors['port']}"
        for _ in range(200):  # it accepts from the beginning, and answers once it is up
            try:
                httpx.get(f"{url}/healthz", timeout=10).raise_for_status()
                break
            except httpx.TransportError:
                continue
        routes = [tuple(json.loads(each)) for each in doors["routes"]]
        yield Served(url, home, secret, log, routes, [tuple(each) for each in doors["events"]])  # type: ignore[misc]
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def once(path: str) -> str:
    """A route of every panel stands once in the table, with and without a slash at its end."""
    path = re.sub(r"^/panels/[^/]+", "/panels/*", path)
    return path if path in ROUTES or not path.endswith("/") else path.removesuffix("/")


def filled(path: str, value: str) -> str:
    return re.sub(r"\{[^}]+\}", lambda _: quote(value, safe=""), path) or "/"


def bodies(fields: tuple[str, ...], served: Served) -> Iterator[tuple[bytes, str]]:
    yield b"[" * 100_000, "application/json"
    yield b'{"data":' * 20_000, "application/json"
    yield b"\xff\xfe\0" * 1_000, "application/json"
    yield b"null", "application/json"
    file = {"path": str(served.secret), **FILE}
    for value in (file, [file], "x" * 100_000, 10**40, -1, {"a": {"b": [None] * 50}}):
        yield json.dumps(dict.fromkeys(fields, value)).encode(), "application/json"
    form = f'--b\r\ncontent-disposition: form-data; name="files"; filename="../../{served.secret.name}"\r\n\r\n\x89PNG\r\n--b--\r\n'
    yield form.encode(), "multipart/form-data; boundary=b"
    yield b"--b\r\n" * 5_000, "multipart/form-data; boundary=b"
    yield (
        urlencode({field: str(served.secret) for field in fields}).encode(),
        "application/x-www-form-urlencoded",
    )


async def ask(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> tuple[int, bytes]:
    """Status, and headers with the beginning of the answer; a stream that says nothing more is left."""
    got = b""
    try:
        async with client.stream(method, url, **options) as answer:
            try:
                async with asyncio.timeout(0.2):
                    async for chunk in answer.aiter_bytes():
                        got += chunk
                        if len(got) > 200_000:
                            break
            except TimeoutError:
                pass
            assert answer.headers.get("set-cookie") != "a=b", f"a header of ours: {method} {url[:80]}"
            head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            return answer.status_code, head.encode() + got
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.LocalProtocolError):
        return 0, b""  # it hung up, which is an answer


def bad(served: Served, status: int, text: bytes) -> str:
    """What is wrong with an answer; nothing where it is right."""
    if status >= 500 and status != 503:
        return f"status {status}: {text[-200:]!r}"
    if b"planted-secret" in text or b"root:x:0" in text:
        return "a foreign file"
    return "a traceback" if b"Traceback (most recent" in text else ""


async def send_all(served: Served, requests: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    """Send them some at a time; what was wrong, a line each."""
    gate, wrong = asyncio.Semaphore(AT_ONCE), []

    async with httpx.AsyncClient(base_url=served.url, timeout=ANSWER_S) as client:

        async def one(method: str, url: str, options: dict[str, Any]) -> None:
            async with gate:
                try:
                    status, text = await ask(client, method, url, **options)
                    said = bad(served, status, text)
                except httpx.InvalidURL:
                    return  # the client refuses to send it
                except httpx.TimeoutException:
                    said = f"no answer in {ANSWER_S:.0f} s"
                if said:
                    wrong.append(f"{method} {url[:120]} {str(options)[:80]}: {said}")

        await asyncio.gather(*(one(*each) for each in requests))
    return wrong


def test_every_door_has_a_row_here_and_a_right(served: Served) -> None:
    routes = {once(path) for kind, path, _ in served.routes if kind != "socket"}
    assert routes - set(ROUTES) == set(), "give these routes a row"
    assert {path for kind, path, _ in served.routes if kind == "socket"} == SOCKETS
    found: dict[str, set[str]] = {}
    for panel, _, name, _ in served.events:
        found.setdefault(panel, set()).add(re.sub(r"_\d+$", "", name))
    assert found == EVENTS
    last = access.DOORS[-1][0]
    for _, path, _ in served.routes:
        named = filled(path, "1") + ("/1" if path and not path.count("{") else "")
        row = next(
            pattern for pattern, _ in access.DOORS
            if any(re.match(re.escape(pattern).replace(r"\$", "$"), each) for each in (named, filled(path, "1")))
        )  # fmt: skip
        assert row != last or path == "", f"{path} has no row in pages/access.py"


def test_no_route_gives_a_file_or_breaks(served: Served) -> None:
    requests: list[tuple[str, str, dict[str, Any]]] = []
    seen: set[tuple[str, str]] = set()  # panels share Gradio's routes: each is tried at one of them
    for kind, path, methods in served.routes:
        if kind == "socket":
            continue
        fields = ROUTES[once(path)]
        values = served.hostile()
        for method in methods or ["GET"]:
            if method in ("HEAD", "OPTIONS") or (method, once(path)) in seen:
                continue
            seen.add((method, once(path)))
            if kind == "mount":
                requests += [(method, f"{path}/{quote(value, safe='')}", {}) for value in values]
                requests += [(method, f"{path}/{value}", {}) for value in values[:4]]
            elif "{" in path:
                requests += [(method, filled(path, value), {}) for value in values]
            if fields:
                plain = filled(path, "shop")
                requests += [
                    (method, f"{plain}?{urlencode(dict.fromkeys(fields, value))}", {}) for value in values
                ]
            if method in ("POST", "PUT", "PATCH"):
                requests += [
                    (
                        method,
                        filled(path, "classify"),
                        {"content": body, "headers": {"content-type": kind_of}},
                    )
                    for body, kind_of in bodies(fields or ("x",), served)
                ]
    wrong = asyncio.run(send_all(served, requests))
    assert not wrong, f"{len(wrong)} of {len(requests)}:\n" + "\n".join(sorted(wrong)[:40])
    assert httpx.get(f"{served.url}/healthz", timeout=ANSWER_S).status_code == 200


def test_half_a_request_at_every_door_keeps_nobody_waiting(served: Served) -> None:
    async def run() -> None:
        port = int(served.url.rsplit(":", 1)[1])
        held = []
        for _, path, methods in served.routes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            lines = [
                f"{(methods or ['POST'])[-1]} {filled(path, 'shop')} HTTP/1.1",
                f"host: 127.0.0.1:{port}",
            ]
            writer.write(
                "\r\n".join(
                    [*lines, "content-type: application/json", "content-length: 1000000", "", '{"']
                ).encode()
            )
            held.append((reader, writer))
        async with httpx.AsyncClient(timeout=ANSWER_S) as client:
            assert (await client.get(f"{served.url}/download/shop.csv")).status_code == 200
        for _, writer in held:
            writer.close()

    asyncio.run(run())


async def said_by(
    client: httpx.AsyncClient, panel: str, event: int, data: Any, session: str
) -> dict[str, Any]:
    """The last message of an event through the queue, as a browser gets it."""
    body = {"data": data, "fn_index": event, "session_hash": session, "event_data": None}
    joined = await client.post(f"/panels/{panel}/gradio_api/queue/join", json=body)
    if joined.status_code >= 400:
        return {"success": False, "status": joined.status_code, "text": joined.text}
    async with client.stream(
        "GET", f"/panels/{panel}/gradio_api/queue/data?session_hash={session}"
    ) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                said: dict[str, Any] = json.loads(line.removeprefix("data:"))
                if said.get("msg") in ("process_completed", "unexpected_error"):
                    return said
    raise AssertionError("the stream ended without an answer")


def test_no_event_of_a_panel_gives_a_file_or_breaks(served: Served) -> None:
    files = (
        str(served.secret),
        "/dev/zero",
        "/etc/passwd",
        str(served.home / "nothing.png"),
        "http://127.0.0.1:9/x.png",
    )
    odd: list[Any] = [
        "x" * 30_000,
        10**40,
        {"path": str(served.secret), **FILE},
        [[[["deep"]]] * 20] * 20,
        None,
    ]
    wrong: list[str] = []

    async def run() -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=served.url, timeout=120) as client:

            async def one(panel: str, event: int, name: str, data: Any, refused: bool) -> None:
                async with gate:
                    said = await said_by(client, panel, event, data, f"stranger-{os.urandom(6).hex()}")
                text = json.dumps(said).encode()
                told = bad(served, int(said.get("status", 200)), text)
                if refused and said["success"] is not False:
                    told = f"it took a file that was not uploaded: {text[:200]!r}"
                if told:
                    wrong.append(f"{panel} {name} {str(data)[:80]}: {told}")

            jobs, seen = [], set()
            for panel, event, name, kinds in served.events:
                takes = [kind in TAKES_FILES for kind in kinds]
                function = panel, re.sub(r"_\d+$", "", name)
                first = (
                    function not in seen
                )  # several events have one function: each is tried, one with everything
                seen.add(function)
                if any(takes):
                    jobs += [
                        one(
                            panel,
                            event,
                            name,
                            [{"path": path, **FILE} if each else None for each in takes],
                            True,
                        )
                        for path in files[: len(files) if first else 1]
                    ]
                if first and kinds:
                    jobs += [one(panel, event, name, [value] * len(kinds), False) for value in odd]
                    jobs.append(one(panel, event, name, ["x"] * 30, False))
            await asyncio.gather(*jobs)

    asyncio.run(run())
    assert not wrong, "\n".join(wrong)
    assert httpx.get(f"{served.url}/healthz", timeout=ANSWER_S).status_code == 200


def test_no_socket_breaks(served: Served) -> None:
    query = BackMsg()
    query.rerun_script.query_string = f"dataset={'x' * 5_000}&category={'>' * 4_000}"
    query.rerun_script.page_name = str(served.secret)
    state = BackMsg()
    state.rerun_script.widget_states.widgets.add(id="$$ID-x-None", string_value="x" * 50_000)
    sent = [query.SerializeToString(), state.SerializeToString(), b"\xff" * 4_096, b"", "a text"]

    async def run() -> None:
        for path in SOCKETS:
            address = served.url.replace("http", "ws", 1) + path
            for message in sent:
                async with websockets.connect(address, max_size=None) as socket:
                    await socket.send(message)
                    try:
                        async with asyncio.timeout(2):
                            async for said in socket:
                                data = said if isinstance(said, bytes) else said.encode()
                                assert not bad(served, 200, data)
                    except (TimeoutError, websockets.ConnectionClosed):
                        pass

    asyncio.run(run())
    assert httpx.get(f"{served.url}/healthz", timeout=ANSWER_S).status_code == 200


def test_no_tool_of_an_assistant_gives_a_file_or_breaks(served: Served) -> None:
    async def run() -> None:
        for panel, names in TOOLS.items():
            address = f"{served.url}/panels/{panel}/gradio_api/mcp/"
            async with (
                streamable_http_client(address) as (read, write, *_),
                ClientSession(read, write) as session,
            ):
                await session.initialize()
                tools = (await session.list_tools()).tools
                assert {tool.name for tool in tools} == names
                for tool in tools:
                    for value in (
                        str(served.secret),
                        "/dev/zero",
                        "x" * 30_000,
                        -1,
                        {"path": str(served.secret)},
                        [[]],
                    ):
                        arguments = dict.fromkeys(tool.inputSchema["properties"], value)
                        said = await session.call_tool(tool.name, arguments)
                        assert not bad(served, 200, said.model_dump_json().encode()), (tool.name, value)

    asyncio.run(run())
    assert httpx.get(f"{served.url}/healthz", timeout=ANSWER_S).status_code == 200


def test_a_foreign_host_gets_nothing_from_any_door(served: Served) -> None:
    requests = [
        (method, filled(path, "shop"), {"headers": {"host": "attacker.example"}})
        for kind, path, methods in served.routes if kind != "socket" for method in methods or ["GET"]
    ]  # fmt: skip

    async def run() -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=served.url, timeout=ANSWER_S) as client:

            async def one(method: str, url: str, options: dict[str, Any]) -> None:
                async with gate:
                    assert (await ask(client, method, url, **options))[0] == 421, (method, url)

            await asyncio.gather(*(one(*each) for each in requests))

    asyncio.run(run())


def test_without_a_role_no_door_opens(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Last: from here on the server asks for a sign-in, at every door of every panel, too."""
    monkeypatch.setenv("VITRINE_HOME", str(served.home))
    passphrases.keep("owner", "owner of all the doors")

    async def run() -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=served.url, timeout=ANSWER_S) as client:

            async def one(method: str, path: str) -> None:
                url = filled(path, "1")
                async with gate:
                    status, _ = await ask(client, method, url)
                if access.door(url.split("?")[0]) is access.OPEN:
                    assert status not in (401, 403), (method, path)
                else:
                    assert status == 401, (method, path, status)

            await asyncio.gather(
                *(
                    one(method, path)
                    for kind, path, methods in served.routes
                    if kind != "socket"
                    for method in methods or ["GET"]
                )
            )
        for path in SOCKETS:
            with pytest.raises(websockets.InvalidStatus, match="403"):
                async with websockets.connect(served.url.replace("http", "ws", 1) + path):
                    pass

    asyncio.run(run())
    signed = httpx.Client(
        base_url=served.url, headers={"authorization": "Bearer owner of all the doors"}, timeout=ANSWER_S
    )
    assert signed.get("/panels/classification/config").status_code == 200
    assert signed.get("/_stcore/metrics").status_code == 200
